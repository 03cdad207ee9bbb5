"""A maker's association file, as JSON or as CSV: a batch, its packs, and which of them is in which.

JSON: `{"gtin", "batch", "expiry": "2027-06-30", "packs": [{"code", "parent", "doses"}]}`, the last two where they are
said. CSV: the same names as its first row; `gtin`, `batch` and `expiry` may be empty after the first pack.
"""

import csv
import io
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from inventory import strict_json
from inventory.domain.errors import N_, Code, ColdtrailError, Invalid
from inventory.domain.packs import BadLines, PackLine
from inventory.services.pack_files import PackFile
from inventory.services.scans import LONGEST

MAX_BYTES = 32 << 20
"""The longest file that is read, in bytes."""

MOST_LINES = 200_000
"""How many packs one file may name."""

_OF_BATCH = ("gtin", "batch", "expiry")
_OF_PACK = ("code", "parent", "doses")
_NUMBER = re.compile("[0-9]{1,9}")
_BATCH = re.compile('[!"%-/0-9:-?A-Z_a-z]{1,20}')
"""A batch/lot as GS1 AI 10 allows it."""

Row = Mapping[str, Any]


def read(document: bytes, *, is_csv: bool) -> PackFile:
    """What a file says.

    Raises:
        Invalid: `malformed` for what is no such file; `BadLines` with each line that is none.
    """
    head, rows = _csv(document) if is_csv else _json(document)
    if not 1 <= len(rows) <= MOST_LINES:
        raise Invalid(Code.MALFORMED, "packs", len(rows), N_("1 to %(most)d packs"), most=MOST_LINES)
    lines: list[PackLine] = []
    faults: list[tuple[int, ColdtrailError]] = []
    for number, row in enumerate(rows, 1):
        try:
            _same_batch(head, row)
            parent = None if _is_empty(row.get("parent")) else _text(row, "parent")
            lines.append(PackLine(_text(row, "code"), _doses(row), parent))
        except Invalid as fault:
            faults.append((number, fault))
    if faults:
        raise BadLines(faults)
    return PackFile(_text(head, "gtin"), _batch(head), _expiry(head), tuple(lines))


def _json(document: bytes) -> tuple[Row, list[Row]]:
    try:
        found = strict_json.loads(document, MAX_BYTES)
    except strict_json.BadPayload as error:
        raise _no_file(error.detail) from error
    if not isinstance(found, dict) or set(found) != {*_OF_BATCH, "packs"} or not isinstance(found["packs"], list):
        raise _no_file("document")
    rows = found.pop("packs")
    if not all(isinstance(row, dict) and set(row) <= set(_OF_PACK) for row in rows):
        raise _no_file("packs")
    return found, rows


def _csv(document: bytes) -> tuple[Row, list[Row]]:
    try:
        table = csv.DictReader(io.StringIO(document.decode("utf-8-sig"), newline=""), strict=True)
        rows, header = list(table), table.fieldnames or ()
    except (UnicodeDecodeError, csv.Error) as error:
        raise _no_file(str(error)) from error
    names = {*_OF_BATCH, "code"} <= set(header) <= {*_OF_BATCH, *_OF_PACK} and len(set(header)) == len(header)
    if not (names and rows) or any(None in row or None in row.values() for row in rows):  # more cells, or fewer
        raise _no_file("header")
    return rows[0], [dict(row) for row in rows]


def _no_file(value: str) -> Invalid:
    expected = N_("an association file: gtin, batch and expiry, and of each pack its code, parent and doses")
    return Invalid(Code.MALFORMED, "file", value[:200], expected)


def _same_batch(head: Row, row: Row) -> None:
    """One file is about one batch; a row may say so again."""
    for name in _OF_BATCH:
        if not _is_empty(row.get(name)) and row[name] != head[name]:
            raise Invalid(Code.MALFORMED, name, row[name], N_("the same on each line, for a file is of one batch"))


def _is_empty(value: object) -> bool:
    """Whether something is not said, as JSON and CSV leave it out."""
    return value is None or value == ""


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST:
        raise Invalid(Code.MALFORMED, name, str(value)[:LONGEST], N_("a text"))
    return value


def _doses(row: Row) -> int | None:
    """Doses, as JSON has numbers or as CSV has them; None where they are not said."""
    value = row.get("doses")
    if _is_empty(value):
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Invalid(Code.MALFORMED, "doses", str(value)[:LONGEST], N_("a whole number of doses"))
    return value


def _batch(head: Row) -> str:
    number = _text(head, "batch")
    if not _BATCH.fullmatch(number):
        raise Invalid(Code.MALFORMED, "batch", number, N_("1 to 20 characters that GS1 allows in a batch number"))
    return number


def _expiry(head: Row) -> date:
    text = _text(head, "expiry")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(Code.MALFORMED, "expiry", text, N_("a day, such as 2027-06-30")) from error
