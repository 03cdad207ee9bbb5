"""Answers as CSV for spreadsheets: RFC 4180, in UTF-8 with the mark by which they know it, and no cell a formula."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

from flask import Response, after_this_request, request
from flask_babel import gettext

CONTENT_TYPE = "text/csv"

_UNSEEN = r"[\s\u00ad\u200b-\u200f\u2060\ufeff]*"
_FORMULA = re.compile(rf"(^|[;\t\r\n])(?={_UNSEEN}[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\n])")
"""Where a spreadsheet would begin to read a formula: at a cell's begin, or behind what it may take for a separator.

Some pass over spaces and invisible characters, some read full-width signs (OWASP, CSV Injection).
"""

Value = str | int | float | None


def is_wanted(stated: str | None) -> bool:
    """Whether the one who asks wants CSV: by the format that is stated, or without one by the header Accept."""
    if stated is not None:
        return stated == "csv"
    after_this_request(_vary)
    best = request.accept_mimetypes.best_match(("application/json", CONTENT_TYPE), "application/json")
    return best == CONTENT_TYPE


def answer(name: str, columns: Mapping[str, str], rows: Iterable[Mapping[str, Value]]) -> Response:
    """A file of rows under translated titles; `columns` are the names of their fields with the titles."""
    return Response(
        written([gettext(title) for title in columns.values()], ([row[each] for each in columns] for row in rows)),
        content_type=f"{CONTENT_TYPE}; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _vary(response: Response) -> Response:
    response.vary.add("Accept")
    return response


def written(titles: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    """The table as bytes: every text in quotes and harmless, numbers as they are, nothing for None."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
    for row in (titles, *rows):
        writer.writerow([harmless(cell) if isinstance(cell, str) else "" if cell is None else cell for cell in row])
    return file.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """The text, with an apostrophe wherever a spreadsheet would otherwise begin to read a formula."""
    return _FORMULA.sub(r"\1'", text)
