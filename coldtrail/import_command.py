"""The `coldtrail import` commands: a logger's files, as the readings that come by MQTT, and a maker's of packs."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from coldtrail.importing import excursion_line, import_fridge_tag, import_logtag, import_usb_logger
from coldtrail.telling import one_line, open_database, settings
from inventory.domain.packs import BadLines
from inventory.services import pack_documents, pack_files
from inventory.services.imports import Imported


class Zone(click.ParamType[ZoneInfo]):
    """An IANA time zone."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ZoneInfo:
        """The zone of that name."""
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a directory of zones, such as Asia
            self.fail(f"{value} is not an IANA time zone, such as Asia/Shanghai", param, ctx)


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that is there."""

_zone = click.option(
    "--zone", type=Zone(), required=True, help="the IANA zone of the device's clock; the file does not say it"
)
_appliance = click.option("--appliance", help="the appliance that the logger watched, if it is not assigned yet")


@click.group("import")
def import_group() -> None:
    """Read a logger's file through the same door as the readings that come by MQTT, or a maker's file of packs."""


@import_group.command("fridge-tag")
@click.argument("file", type=FILE)
@_zone
@_appliance
def fridge_tag_command(file: Path, zone: ZoneInfo, appliance: str | None) -> None:
    """Import the text export of a Berlinger Fridge-tag 2, 2 L or UL, judged by the device's own limits.

    Example: coldtrail import fridge-tag 130500109088_202206081014.txt --zone Asia/Shanghai
    """
    with open_database() as database:
        imported, export = import_fridge_tag(database, file, zone, appliance, settings().clock())
    _tell(f"{export.device} {export.serial}", imported, export.unread, zone)


@import_group.command("logtag")
@click.argument("file", type=FILE)
@_zone
@_appliance
def logtag_command(file: Path, zone: ZoneInfo, appliance: str | None) -> None:
    """Import the CSV export of a LogTag, judged by its range without alert: whatever lies outside is an excursion.

    Example: coldtrail import logtag LogTag_1010123456_1_220608_1014.csv --zone Asia/Shanghai
    """
    with open_database() as database:
        imported, export = import_logtag(database, file, zone, appliance, settings().clock())
    _tell(f"LogTag {export.serial}", imported, export.unread, zone)


@import_group.command("usb-logger")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--zone", type=Zone(), default="UTC", show_default=True, help="in which excursions are shown")
@_appliance
def usb_logger_command(files: tuple[Path, ...], zone: ZoneInfo, appliance: str | None) -> None:
    """Import the JSON files that a WHO logger wrote to a USB stick, judged by HEAT and FRZE of the standard.

    Give all files of one logger at once: its time bases are dated by all of their names together.

    Example: coldtrail import usb-logger LOGGER_CURRENT_DATA_P10DT2H_20250701T000000Z.json LOGGER_DATA_*.json
    """
    with open_database() as database:
        imported, log = import_usb_logger(database, files, appliance, settings().clock())
    _tell(f"logger {log.serial}", imported, log.unread, zone)
    for base, records in log.undated.items():
        click.echo(f"{records} records of the time base {base} were not taken: no file's name dates it")


@import_group.command("packs")
@click.argument("file", type=FILE)
def packs_command(file: Path) -> None:
    """Announce the packs of a maker's association file: which vial is in which carton and case. CSV, or else JSON.

    All of the file is taken, or nothing, and each line that cannot be is named; to import it again changes nothing.

    Example: coldtrail import packs 202512A03.csv
    """
    with open_database() as database:
        try:
            document = pack_documents.read(file.read_bytes(), is_csv=file.suffix.lower() == ".csv")
            announced = pack_files.announce_packs(database, None, document, settings().clock())
        except BadLines as error:
            for number, fault in error.faults:
                click.echo(one_line(f"pack {number}: {fault}"), err=True)
            raise
    click.echo(f"batch {document.batch}: {announced.packs} packs, {announced.new} new, {announced.doses} doses")


def _tell(logger: str, imported: Imported, unread: int, zone: ZoneInfo) -> None:
    without = f", {unread} rows without a temperature" if unread else ""
    click.echo(f"{logger}: {imported.readings} readings, {imported.new} new{without}")
    for excursion in imported.excursions:
        click.echo(excursion_line(excursion, zone))
