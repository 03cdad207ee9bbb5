"""What every command needs: the settings, the database, and errors told in one line."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

import click

from coldtrail import processes
from coldtrail.settings import Settings, SettingsError, from_environment
from inventory.domain.errors import ColdtrailError
from inventory.persistence.database import Database
from inventory.strict_json import BadPayload
from mqtt_ingest import topics
from mqtt_ingest.client import SubscriptionRefused


def settings() -> Settings:
    """The settings that this process was given; a wrong environment is told."""
    try:
        return from_environment(os.environ)
    except SettingsError as error:
        raise click.ClickException(f"the environment is wrong:\n{error}") from error


@contextmanager
def told() -> Iterator[None]:
    """Errors of the domain, of files, of the broker and of arguments, told in one line."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise click.ClickException(f"an argument is not UTF-8: {error.reason}") from error
    except (ColdtrailError, BadPayload, topics.BadTopic, SubscriptionRefused, processes.NotMigrated) as error:
        raise click.ClickException(one_line(str(error))) from error


def one_line(text: str) -> str:
    """The text with what could break the line, or steer the terminal, escaped; it may quote what was given."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


@contextmanager
def open_database() -> Iterator[Database]:
    """The database of the settings, with the schema of this version."""
    with told(), closing(processes.opened(settings().database_url)) as database:
        yield database
