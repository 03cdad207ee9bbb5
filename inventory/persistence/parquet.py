"""Readings as a Parquet file, and a digest by which a file and a database can be compared.

The digest is the SHA-256 of the readings as lines of text, by sensor and then by time, so it does not depend on the
order in which they came. A line is the sensor's id, the time of measuring, the temperature (hundredths of a degree)
and the time of receiving, with tabs between them, times in UTC to the microsecond as 2026-01-05T04:00:00.000000+00:00;
so anybody can make it without Coldtrail. pyarrow is loaded when it is needed: few processes ever read a file.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.instants import counted, instant

if TYPE_CHECKING:
    import pyarrow

Row = tuple[UUID, datetime, int, datetime]
"""Sensor, when it was measured, hundredths of a degree Celsius, when it was received."""

CHUNK = 1 << 15
"""How many readings are in memory at a time: a row group of the file."""

_PREFIX = "coldtrail."
_MICRO = "microseconds"


@dataclass(frozen=True)
class Proof:
    """How many readings there are, and the digest of them."""

    readings: int
    digest: str


class Tally:
    """The proof of readings that come by sensor and time, part by part."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._count = 0
        self._last: tuple[str, datetime] | None = None

    def add(self, rows: Sequence[Row]) -> None:
        """Take in the next readings.

        Raises:
            Invalid: `malformed` where they do not come by sensor and time, each once.
        """
        if not rows:
            return
        names = {row[0]: str(row[0]) for row in rows}
        keys = [(names[row[0]], row[1]) for row in rows]
        ahead = self._last is None or self._last < keys[0]
        if not ahead or any(one >= other for one, other in pairwise(keys)):
            raise Invalid(Code.MALFORMED, "readings", keys[0][1], N_("readings by sensor and time, each once"))
        lines = [_line(name, row) for (name, _), row in zip(keys, rows, strict=True)]
        self._hash.update("".join(lines).encode())
        self._count += len(rows)
        self._last = keys[-1]

    def proof(self) -> Proof:
        """What was taken in so far."""
        return Proof(self._count, self._hash.hexdigest())


def _line(sensor: str, row: Row) -> str:
    measured, received = row[1].astimezone(UTC), row[3].astimezone(UTC)
    return f"{sensor}\t{measured.isoformat('T', _MICRO)}\t{row[2]}\t{received.isoformat('T', _MICRO)}\n"


def tallied(parts: Iterable[Sequence[Row]]) -> Proof:
    """The proof of readings that come in parts."""
    tally = Tally()
    for rows in parts:
        tally.add(rows)
    return tally.proof()


def write(file: Path, parts: Iterable[Sequence[Row]], serials: Mapping[UUID, str], facts: Mapping[str, str]) -> Proof:
    """Write readings and what is told of them; each carries its sensor's serial, so that the file explains itself.

    `parts` are written as they come; the proof is that of what was given, and is written into the file too.
    """
    from pyarrow import parquet

    tally = Tally()
    with parquet.ParquetWriter(file, _schema(), compression="zstd") as writer:
        for rows in parts:
            tally.add(rows)
            writer.write_table(_table(rows, serials))
        proof = tally.proof()
        told = {**facts, "readings": str(proof.readings), "digest": proof.digest}
        writer.add_key_value_metadata({f"{_PREFIX}{name}": value for name, value in told.items()})
    return proof


def facts(file: Path) -> dict[str, str]:
    """What a file that `write` made tells of itself.

    Raises:
        Invalid: `malformed` for another file.
    """
    with _opened(file) as opened:
        found = opened.metadata.metadata or {}
    told = {name.decode(): value.decode(errors="replace") for name, value in found.items()}
    ours = {name.removeprefix(_PREFIX): value for name, value in told.items() if name.startswith(_PREFIX)}
    if not {"month", "readings", "digest"} <= set(ours):
        raise _not_ours(file)
    return ours


def read(file: Path) -> Iterator[list[Row]]:
    """The readings of a file in parts, as they stand in it.

    Raises:
        Invalid: `malformed` for a file that is none, or is damaged.
    """
    import pyarrow

    with _opened(file) as opened:
        try:
            for batch in opened.iter_batches(CHUNK, columns=_KEPT):
                yield _rows(batch)
        except (pyarrow.ArrowException, OSError, KeyError) as error:
            raise _not_ours(file) from error


def _rows(batch: "pyarrow.RecordBatch") -> list[Row]:
    import pyarrow

    sensors = batch.column("sensor_id").storage.to_pylist()
    ids = {each: UUID(bytes=each) for each in set(sensors)}
    measured, received = (
        map(instant, batch.column(name).cast(pyarrow.int64()).to_pylist()) for name in ("measured_at", "received_at")
    )
    return list(
        zip(map(ids.__getitem__, sensors), measured, batch.column("temperature").to_pylist(), received, strict=True)
    )


def _opened(file: Path) -> Any:
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise _not_ours(file) from error


def _not_ours(file: Path) -> Invalid:
    return Invalid(Code.MALFORMED, "file", file, N_("an archive of readings as coldtrail archive wrote it, undamaged"))


_KEPT = ["sensor_id", "measured_at", "temperature", "received_at"]


def _schema() -> "pyarrow.Schema":
    import pyarrow

    instant = pyarrow.timestamp("us", tz="UTC")
    return pyarrow.schema(
        [
            pyarrow.field("sensor_id", pyarrow.uuid(), nullable=False),
            pyarrow.field("serial", pyarrow.dictionary(pyarrow.int32(), pyarrow.string())),
            pyarrow.field("measured_at", instant, nullable=False),
            pyarrow.field("temperature", pyarrow.int32(), nullable=False),
            pyarrow.field("received_at", instant, nullable=False),
        ]
    )


def _table(rows: Sequence[Row], serials: Mapping[UUID, str]) -> "pyarrow.Table":
    import pyarrow

    sensors, measured, temperatures, received = zip(*rows, strict=True)
    ids = pyarrow.array([each.bytes for each in sensors], pyarrow.binary(16))
    serial = pyarrow.array([serials.get(each) for each in sensors], pyarrow.string())
    columns = [
        pyarrow.ExtensionArray.from_storage(pyarrow.uuid(), ids),
        serial.dictionary_encode(),
        _instants(measured),
        pyarrow.array(temperatures, pyarrow.int32()),
        _instants(received),
    ]
    return pyarrow.Table.from_arrays(columns, schema=_schema())


def _instants(times: Sequence[datetime]) -> "pyarrow.Array":
    import pyarrow

    return pyarrow.array([counted(each) for each in times], pyarrow.int64()).cast(pyarrow.timestamp("us", tz="UTC"))
