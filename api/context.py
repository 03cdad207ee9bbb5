"""What the application was given: its database and its clock."""

from datetime import datetime
from typing import cast

from flask import current_app

from inventory.clock import Clock
from inventory.persistence.database import Database

EXTENSION = "coldtrail"


def database() -> Database:
    """The database of this application."""
    return cast(Database, current_app.extensions[EXTENSION]["database"])


def now() -> datetime:
    """The time on this application's clock."""
    clock: Clock = current_app.extensions[EXTENSION]["clock"]
    return clock()
