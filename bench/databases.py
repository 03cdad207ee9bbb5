"""Databases for the benchmarks: templates that are made once and kept, and the copies that a run uses up."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from inventory.persistence.migrate import upgrade

PREFIX = "coldtrail_bench_"
"""How every database of ours is named; no other is ever touched."""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server, by the URL of somebody who may create databases there."""

    admin_url: str

    def url(self, name: str) -> str:
        """The URL of one of our databases."""
        return urlsplit(self.admin_url)._replace(path=f"/{PREFIX}{name}").geturl()

    def template(self, name: str, fill: Callable[[str], None]) -> None:
        """A template with the current schema, filled by `fill` where it is not there yet, and kept."""
        if f"{PREFIX}{name}" not in self.ours():
            unfinished = f"{name}_unfinished"
            self._drop(f"{PREFIX}{unfinished}")
            self._create(unfinished, "template1")
            upgrade(self.url(unfinished))
            fill(self.url(unfinished))
            names = (sql.Identifier(PREFIX + each) for each in (unfinished, name))
            self._execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
        upgrade(self.url(name))

    @contextmanager
    def temporary(self, name: str) -> Iterator[str]:
        """The URL of a new database with the current schema, dropped at the end."""
        self._drop(PREFIX + name)
        self._create(name, "template1")
        try:
            upgrade(self.url(name))
            yield self.url(name)
        finally:
            self._drop(PREFIX + name)

    @contextmanager
    def copy(self, template: str) -> Iterator[str]:
        """The URL of a copy of a template, dropped at the end."""
        name = f"{template}_copy"
        self._drop(PREFIX + name)
        self._create(name, PREFIX + template)
        try:
            yield self.url(name)
        finally:
            self._drop(PREFIX + name)

    def drop_all(self) -> None:
        """Drop every database of ours."""
        for name in self.ours():
            self._drop(name)

    def ours(self) -> list[str]:
        """The names of our databases."""
        with psycopg.connect(self.admin_url) as connection:
            found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (PREFIX,))
            return [name for (name,) in found]

    def version(self) -> str:
        """The server's version."""
        with psycopg.connect(self.admin_url) as connection:
            return str(connection.info.parameter_status("server_version"))

    def _create(self, name: str, template: str) -> None:
        """By copying files, which leaves nothing to be written behind while a benchmark runs."""
        new, source = sql.Identifier(PREFIX + name), sql.Identifier(template)
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(new, source))

    def _drop(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(statement)
