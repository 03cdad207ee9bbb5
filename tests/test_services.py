"""The fixtures themselves: every other test trusts them to give a clean, real service."""

import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

from tests import services
from tests.services import Postgres, Template

if TYPE_CHECKING:
    from coldtrail.broker import Broker


def run(url: str, statement: str) -> list[tuple[object, ...]]:
    """Run a statement without the application's own layers, which are not under test here."""
    if url.startswith("sqlite"):
        return _run_sqlite(url.removeprefix("sqlite:///"), statement)
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def _run_sqlite(file: str, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(file)
    try:
        with connection:
            return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_unavailable_skips_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(services.REQUIRE_SERVICES, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no such thing"):
        services.unavailable("no such thing")


def test_unavailable_fails_where_services_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(services.REQUIRE_SERVICES, "1")
    with pytest.raises(pytest.fail.Exception, match="no such thing"):
        services.unavailable("no such thing")


def test_a_database_is_migrated(database_url: str) -> None:
    assert len(run(database_url, "SELECT version_num FROM alembic_version")) == 1


def test_clones_share_nothing(database_template: Template) -> None:
    with database_template.clone() as one, database_template.clone() as other:
        run(one, "CREATE TABLE mark (id integer)")
        with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedTable)):
            run(other, "SELECT * FROM mark")


def test_a_sqlite_clone_leaves_no_file(sqlite_template: Template) -> None:
    with sqlite_template.clone() as url:
        file = Path(url.removeprefix("sqlite:///"))
        run(url, "CREATE TABLE mark (id integer)")
        assert file.exists()
    assert not list(file.parent.glob(f"{file.name}*"))


def test_a_postgresql_clone_goes_even_with_somebody_connected(postgresql_template: Template) -> None:
    with postgresql_template.clone() as url:
        connection = psycopg.connect(url)
    with connection, pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


def test_the_environment_names_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(services.POSTGRES_URL, "postgresql://admin:secret@db:1/postgres?sslmode=require")
    with services.postgres_server() as server:
        assert server.url("mine") == "postgresql://admin:secret@db:1/mine?sslmode=require"
        assert "secret" not in repr(server)


def test_without_a_server_a_private_one_is_started_and_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(services.POSTGRES_URL, raising=False)
    with services.postgres_server() as server, server.database() as name:
        assert run(server.url(name), "SELECT current_database()") == [(name,)]
        folder = Path(str(run(server.admin_url, "SHOW data_directory")[0][0])).parent
        assert folder.exists()
    assert not folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.admin_url)


def test_a_private_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    cluster = services._Cluster(tmp_path, tmp_path, services.free_port(), None, None)  # noqa: SLF001
    (tmp_path / "log").write_text("the disk is full")
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(RuntimeError, match="the disk is full"):
        cluster.await_ready(process)


def test_without_binaries_there_is_no_private_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(services.POSTGRES_URL, raising=False)
    monkeypatch.delenv(services.REQUIRE_SERVICES, raising=False)
    monkeypatch.setattr(services, "postgres_binaries", lambda: None)
    with pytest.raises(pytest.skip.Exception, match="install its server"), services.postgres_server():
        pass


def test_the_server_is_one_server(postgres: Postgres) -> None:
    with postgres.database() as one, postgres.database() as other:
        assert one != other


def test_a_broker_answers(broker: "Broker") -> None:
    address = urlsplit(broker.url)
    assert address.hostname
    assert address.port
    with socket.create_connection((address.hostname, address.port), timeout=services.PATIENCE):
        pass


def test_real_data_are_device_files(shared_data: Path) -> None:
    assert list(shared_data.glob("*/*"))
