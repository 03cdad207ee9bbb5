"""What is shown when the county is ready: tokens, and commands whose answers have content at that moment."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
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


Facts = Sequence[tuple[str, str]]
"""What there is, by name."""


@dataclass(frozen=True)
class Example:
    """A dose that was given, its batch, an excursion on its way, and an adverse event after some dose, if any."""

    gtin: str
    batch: str
    administration: str
    excursion: str
    adverse_event: str | None


def find_example(api: Api, tokens: Tokens) -> Example | None:
    """A dose that went through an excursion; None while there is none. Raises `Refused` and `Stopped`."""
    page = api.get(f"/api/v1/excursions?sensor={_WATCHED}&limit=50", tokens[AUDITOR])
    for excursion in page["items"]:
        if excursion["side"] == "above":
            given = api.get(f"/api/v1/excursions/{excursion['id']}/impact/administrations?limit=1", tokens[AUDITOR])
            for dose in given["items"]:
                reaction = _adverse_event(api, tokens)
                return Example(dose["gtin"], dose["batch"], dose["administration"], excursion["id"], reaction)
    return None


def _adverse_event(api: Api, tokens: Tokens) -> str | None:
    for event in api.get("/api/v1/adverse-events?limit=1", tokens[AUDITOR])["items"]:
        return str(event["id"])
    return None


def announcement(url: str, facts: Facts, tokens: Tokens, example: Example, today: date) -> Iterator[str]:
    """The lines that say that the county is ready, and what to try."""
    yield f"ready {url}"
    for name, fact in facts:
        yield f"{name} {fact}"
    yield f"API documentation {url}/api/docs"
    yield f"the batch's trail, to print {url}/pages/batches/{example.gtin}/{example.batch}/trail"
    yield "    (the browser asks for a name and a password: any name, and a token)"
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
    if example.adverse_event:
        path = f"/api/v1/adverse-events/{example.adverse_event}/shared-custody"
        yield "somebody was unwell after a dose: those that shared its vial, its fridge or a trip", path
    yield "what was recalled, from half past three on; /recalls/ID says how far that has come", "/api/v1/recalls"
    yield "the day so far, site by site: is the 24-hour rule kept?", f"/api/v1/compliance?{_sites_of(today)}"
    yield "the bulletin: the sites by the doses that they have given", f"/api/v1/bulletins?facility={COUNTY}"


def _sites_of(day: date) -> str:
    return urlencode({"from": day.isoformat(), "to": day.isoformat(), "supplied_by": COUNTY})


def _command(url: str, token: str) -> str:
    return shlex.join(["curl", "-sS", "-H", f"Authorization: Bearer {token}", url])
