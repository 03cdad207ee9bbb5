"""From files to what is stored or sent: a logger's text export, a document of WHO records."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import isfinite
from pathlib import Path
from zoneinfo import ZoneInfo

from inventory.domain.temperature import celsius
from inventory.domain.words import Side
from inventory.persistence.database import Database
from inventory.services.evidence import ExcursionSummary
from inventory.services.imports import Imported, Limit, LoggerFile, import_logger_file
from inventory.strict_json import BadPayload, loads
from mqtt_ingest.formats import fridge_tag, logtag, usb_logger

LONGEST_DOCUMENT = 64 << 20
"""The largest file of records that is read, in bytes: some years of one appliance."""

WHO_LIMITS = (
    Limit(Side.BELOW, -50, timedelta(hours=1), inclusive=True),
    Limit(Side.ABOVE, 800, timedelta(hours=10)),
)
"""What loggers of WHO PQS E006 alarm by: FRZE at or below -0.5 for 60 min, HEAT above +8.0 for 10 h."""


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
    logger = LoggerFile(export.serial, interval, limits, export.activated_at, export.readings, export.stated())
    return import_logger_file(database, logger, appliance, now), export


def import_logtag(
    database: Database, file: Path, zone: ZoneInfo, appliance: str | None, now: datetime
) -> tuple[Imported, logtag.LogTagExport]:
    """Store the readings of a LogTag's CSV export, its local times read in `zone`.

    The logger is taken to watch from its first reading on.

    Raises:
        BadPayload: it is no such export, has no readings, or a time in it never was in that zone.
        ColdtrailError: as `import_logger_file`.
    """
    export = logtag.parse(file.read_text(encoding="utf-8", errors="replace"), zone)
    if not export.readings:
        raise BadPayload("file has no readings")
    limits = (Limit(Side.BELOW, export.low, timedelta()), Limit(Side.ABOVE, export.high, timedelta()))
    begun = min(each.measured_at for each in export.readings)
    logger = LoggerFile(export.serial, export.interval, limits, begun, export.readings)
    return import_logger_file(database, logger, appliance, now), export


def import_usb_logger(
    database: Database, files: Sequence[Path], appliance: str | None, now: datetime
) -> tuple[Imported, usb_logger.UsbLog]:
    """Store the readings and alarms of a WHO logger's USB files, all of one logger.

    Raises:
        BadPayload: one is no such file, they are of several loggers, or no name of theirs dates any record.
        ColdtrailError: as `import_logger_file`.
    """
    log = usb_logger.parse([(file.name, file.read_bytes()) for file in files])
    if log.started_at is None:
        raise BadPayload("no file has a name that dates it, such as L1_CURRENT_DATA_P10DT2H_20250701T000000Z.json")
    logger = LoggerFile(log.serial, log.interval, WHO_LIMITS, log.started_at, log.readings, log.alarms)
    return import_logger_file(database, logger, appliance, now), log


def excursion_line(each: ExcursionSummary, zone: ZoneInfo) -> str:
    """What an import tells of an excursion, its times in the zone of the device for whoever has that at hand."""

    def local(at: datetime | None) -> str:
        return "still open" if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    span = f"{local(each.started_at)} to {local(each.ended_at)}"
    if each.side is Side.SILENCE or each.extreme is None:
        return f"{each.rule}\t{span}\t{each.unseen} unseen"
    return f"{each.rule}\t{span}\talarm {local(each.alarm_at)}\textreme {celsius(each.extreme)}"


def replayed_document(file: Path) -> Mapping[str, object]:
    """The document in a file of WHO records, or an envelope.

    It is held to the rules of what arrives, and then read once more with plain floats: as such its numbers are
    written out again, and a delivery keeps the transferId by which the service knows it.

    Raises:
        BadPayload: it is no JSON object that the service could read.
    """
    payload = file.read_bytes()
    if not isinstance(loads(payload, LONGEST_DOCUMENT), dict):
        raise BadPayload("document is no JSON object; expected one with 'meta' or a list of 'records'")
    document: Mapping[str, object] = json.loads(payload, parse_float=_finite)
    return document


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise BadPayload(f"number {digits} is out of all range")
    return number
