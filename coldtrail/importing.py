"""From a logger's text export to the service that stores it."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from inventory.persistence.database import Database
from inventory.services.imports import Imported, Limit, LoggerFile, import_logger_file
from mqtt_ingest.formats import fridge_tag


def import_fridge_tag(
    database: Database, file: Path, zone: ZoneInfo, appliance: str | None, now: datetime
) -> tuple[Imported, fridge_tag.FridgeTagExport]:
    """Store the readings of a Berlinger Fridge-tag export, its local times read in `zone`.

    Raises:
        BadPayload: it is no such export, or a time in it never was in that zone.
        ColdtrailError: as `import_logger_file`.
    """
    export = fridge_tag.parse(file.read_text(encoding="utf-8", errors="replace"), zone)
    limits = tuple(Limit(each.side, each.threshold, timedelta(minutes=each.minutes)) for each in export.limits)
    interval = export.interval or int(timedelta(days=1).total_seconds())
    logger = LoggerFile(export.serial, interval, limits, export.activated_at, export.readings)
    return import_logger_file(database, logger, appliance, now), export
