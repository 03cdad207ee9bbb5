"""The commands that verify, and those that move months of readings to files and back."""

from pathlib import Path
from typing import Any

import click

from coldtrail.lazy_group import LazyGroup
from coldtrail.telling import open_database, settings
from inventory.domain.errors import Invalid
from inventory.persistence.months import Month
from inventory.services import archive, reading_verification, restoring, verification


class MonthType(click.ParamType[Month]):
    """A year and a month."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Month:
        """The month that is written so."""
        try:
            return archive.spelling(value)
        except Invalid:
            self.fail(f"{value!r} is not a year and a month, such as 2026-01", param, ctx)


@click.group(
    "verify",
    cls=LazyGroup,
    elsewhere={"log": "coldtrail.log_command:verify_log_command"},
    invoke_without_command=True,
)
@click.pass_context
def verify_group(context: click.Context) -> None:
    """Prove that each batch is conserved and that no figure of the ledger contradicts its movements.

    Exits with 1 when something is wrong, and names it. Example: coldtrail verify
    """
    if context.invoked_subcommand is not None:
        return
    with open_database() as database:
        verdict = verification.verify(database)
    for line in verification.report(verdict):
        click.echo(line)
    if not verdict.holds:
        raise SystemExit(1)


@verify_group.command("readings")
@click.option("--sensor", help="the serial of one sensor; else all, and readings of none")
def verify_readings_command(sensor: str | None) -> None:
    """Prove that roll-ups, states and excursions are what the readings give.

    Exits with 1 when something is wrong, and names each. Example: coldtrail verify readings --sensor LOGGER-1
    """
    sensors = faults = 0
    with open_database() as database:
        for finding in reading_verification.verify_readings(database, sensor):
            sensors += isinstance(finding, reading_verification.Checked)
            faults += reading_verification.is_fault(finding)
            line = reading_verification.report(finding)
            if line is not None:
                click.echo(line)
    click.echo(f"{sensors} sensors: " + (f"{faults} FAULTS" if faults else "as their readings say"))
    if faults:
        raise SystemExit(1)


@click.command("archive")
@click.argument("month", type=MonthType())
@click.option(
    "--to",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="the folder where the file is made",
)
def archive_command(month: Month, folder: Path) -> None:
    """Move the readings of a month to a Parquet file; nothing is deleted that was not found in it.

    Example: coldtrail archive 2026-01 --to /srv/archive
    """
    with open_database() as database:
        made = archive.archive_month(database, month, folder, settings().clock())
    click.echo(f"{folder / made.file}: {made.readings} readings, SHA-256 {made.digest}")


@click.command("restore-archive")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore_command(file: Path) -> None:
    """Bring the readings of an archived month back; the file stays.

    Example: coldtrail restore-archive /srv/archive/reading_2026_01-0123456789abcdef.parquet
    """
    with open_database() as database:
        back = restoring.restore(database, file, settings().clock())
    click.echo(f"{archive.spelled(back.month)}: {back.readings} readings are back")
    if back.late:
        click.echo(f"{back.late} had come meanwhile; {back.conflicts} of them say otherwise and are kept aside")


@click.command("archives")
def archives_command() -> None:
    """List which months were archived, and in which file.

    Example: coldtrail archives
    """
    with open_database() as database:
        for each in archive.archives(database):
            state = f"restored {each.restored_at:%Y-%m-%d}" if each.restored_at else "archived"
            fields = [archive.spelled(each.month), state, str(each.readings), each.digest, each.file]
            click.echo("\t".join(fields))
