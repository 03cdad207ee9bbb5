"""What is shown when the county is ready: tokens, and commands whose answers have content at that moment."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from coldtrail.demo.api import Api
from coldtrail.demo.county import COUNTY
from coldtrail.demo.tokens import ADMIN, AUDITOR, GATEWAY, SITES, SUPERVISOR, Tokens

_ROLES = (
    ("admin", ADMIN),
    ("supervisor", SUPERVISOR),
    ("staff", SITES),
    ("auditor", AUDITOR),
    ("gateway", GATEWAY),
)

_WATCHED = f"T-{COUNTY}-1"
"""The sensor whose excursion is shown: every dose of the first day went through that cold room."""


@dataclass(frozen=True)
class Example:
    """A dose that was given, its batch, and an excursion on its way."""

    gtin: str
    batch: str
    administration: str
    excursion: str


def find_example(api: Api, tokens: Tokens) -> Example | None:
    """A dose that went through an excursion; None while there is none. Raises `Refused` and `Stopped`."""
    page = api.get(f"/api/v1/excursions?sensor={_WATCHED}&limit=50", tokens[AUDITOR])
    for excursion in page["items"]:
        if excursion["side"] == "above":
            impact = api.get(f"/api/v1/excursions/{excursion['id']}/impact", tokens[AUDITOR])
            for custody in impact["custodies"]:
                if custody["given"]:
                    return _example(excursion["id"], custody)
    return None


def _example(excursion: str, custody: Mapping[str, Any]) -> Example:
    return Example(custody["gtin"], custody["batch"], custody["given"][0]["administration"], excursion)


def announcement(url: str, broker: str, tokens: Tokens, example: Example, today: date) -> Iterator[str]:
    """The lines that say that the county is ready, and what to try."""
    yield f"ready {url}"
    yield f"broker {broker}"
    yield f"API documentation {url}/api/docs"
    for role, holder in _ROLES:
        yield f"token {role:10} {tokens[holder]}"
    for told, path in _questions(example, today):
        yield f"# {told}"
        yield _command(f"{url}{path}", tokens[AUDITOR])


def _questions(example: Example, today: date) -> Iterator[tuple[str, str]]:
    yield "the countdown board: which doses have to go by when, and how many will be late", "/api/v1/deadlines?limit=50"
    yield "a batch's trail: everywhere it went", f"/api/v1/batches/{example.gtin}/{example.batch}/trail"
    yield "a given dose's trail, back to the warehouse", f"/api/v1/administrations/{example.administration}/trail"
    yield "an excursion's impact: the doses that were there", f"/api/v1/excursions/{example.excursion}/impact"
    yield "the day so far, site by site: is the 24-hour rule kept?", f"/api/v1/compliance?{_sites_of(today)}"
    yield "the bulletin: the sites by the doses that they have given", f"/api/v1/bulletins?facility={COUNTY}"


def _sites_of(day: date) -> str:
    return urlencode({"from": day.isoformat(), "to": day.isoformat(), "supplied_by": COUNTY})


def _command(url: str, token: str) -> str:
    return shlex.join(["curl", "-sS", "-H", f"Authorization: Bearer {token}", url])
