"""The `coldtrail export` commands: the ledger in the forms that others read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from coldtrail.lazy_group import LazyGroup
from coldtrail.telling import open_database, settings
from inventory.domain.epcis.documents import streamed
from inventory.services.epcis.history import Span, stream_epcis


class Instant(click.ParamType[datetime]):
    """An ISO 8601 time with an offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The aware time."""
        try:
            at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no time, such as 2026-01-05T08:30:00+08:00", param, ctx)
        if at.tzinfo is None:
            self.fail(f"{value} has no offset, such as +08:00", param, ctx)
        return at


class BatchName(click.ParamType[tuple[str, str]]):
    """A batch as GTIN/number; the number may hold a slash itself."""

    name = "gtin/batch"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The GTIN and the batch's number."""
        if isinstance(value, tuple):
            return value
        gtin, slash, number = str(value).partition("/")
        if not (gtin and slash and number):
            self.fail(f"{value} is no GTIN/batch, such as 06901234567892/202512A03", param, ctx)
        return gtin, number


@click.group("export", cls=LazyGroup, elsewhere={"trail": "coldtrail.log_command:trail_command"})
def export_group() -> None:
    """Write the ledger in the forms that others read."""


@export_group.command("epcis")
@click.option("--batch", type=BatchName(), help="a batch, as GTIN/number")
@click.option("--shipment", type=click.UUID, help="a shipment, by its id")
@click.option("--from", "since", type=Instant(), help="from this time, with an offset")
@click.option("--to", "until", type=Instant(), help="until before this time, with an offset")
@click.option("--facility", help="what happened at one facility; else at all")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="the file; else standard output")
def epcis_command(
    batch: tuple[str, str] | None,
    shipment: UUID | None,
    since: datetime | None,
    until: datetime | None,
    facility: str | None,
    output: Path | None,
) -> None:
    """Write a batch, a shipment or a span as one EPCIS 2.0 document (JSON-LD), however long it is.

    Example: coldtrail export epcis --batch 06901234567892/202512A03 -o batch.jsonld
    """
    if batch is None and shipment is None and (since is None or until is None):
        raise click.UsageError("say --batch, --shipment, or --from and --to")
    gtin, number = batch or (None, None)
    wanted = Span(gtin, number, shipment, facility, since, until)
    with open_database() as database, _written(output) as write:
        for part in streamed(stream_epcis(database, wanted), settings().clock()):
            write(part)


@contextmanager
def _written(output: Path | None) -> Iterator[Callable[[str], object]]:
    """What writes to the file, which is there whole or not at all; or to standard output."""
    if output is None:
        yield partial(click.echo, nl=False)
        return
    beside = output.with_name(output.name + ".part")
    try:
        with beside.open("w", encoding="utf-8") as file:
            yield file.write
        beside.replace(output)
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)
