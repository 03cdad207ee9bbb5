"""What an EPCIS event from outside says of goods, read strictly where it counts and leniently everywhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from inventory.domain.epcis import uris
from inventory.domain.epcis.goods import Goods, goods_of, listed
from inventory.domain.epcis.hashing import event_hash
from inventory.domain.errors import N_, Code, Invalid

Json = Mapping[str, Any]

MOST_EVENTS = 500
"""How many events one document may hold, for each is a transaction of its own."""

_CBV = ("https://ref.gs1.org/cbv/BizStep-", "https://ref.gs1.org/cbv/Disp-", "https://ref.gs1.org/cbv/BTT-",
        "urn:epcglobal:cbv:bizstep:", "urn:epcglobal:cbv:disp:", "urn:epcglobal:cbv:btt:")  # fmt: skip


SOUND = frozenset({"", "active", "available", "completeness_inferred", "completeness_verified", "conformant",
                   "in_progress", "in_transit", "returned", "sellable_accessible",
                   "sellable_not_accessible"})  # fmt: skip
"""The dispositions (CBV 7.2) of goods that nothing is said against; whatever else one says, they are isolated."""


class CaptureState(StrEnum):
    """What has become of an event that was taken in."""

    TAKEN = "taken"
    """It is claimed; the ledger has not answered yet."""
    POSTED = "posted"
    ANNOUNCED = "announced"
    """Goods are on their way from somebody outside."""
    ARRIVED = "arrived"
    """They were received."""
    WITHDRAWN = "withdrawn"
    """They are not: who announced them declared that an error."""


@dataclass(frozen=True)
class Movement:
    """A shipping or a receiving: what, when, from whom to whom, by which despatch advice.

    `stated` is what the writer of the event says beyond the standard, if it is an installation of Coldtrail.
    """

    event_id: str
    digest: str
    step: str
    disposition: str | None
    surplus: bool
    at: datetime
    goods: tuple[Goods, ...]
    source: uris.Place | None
    destination: uris.Place | None
    here: uris.Place | None
    advice: str | None
    declared_at: datetime | None
    stated: Mapping[str, Any]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is said against the goods."""
        return (self.disposition or "") in SOUND


def events_in(document: Any) -> list[Any]:
    """The events of a document.

    Raises:
        Invalid: `malformed`, naming the path.
    """
    if not isinstance(document, Mapping) or document.get("type") != "EPCISDocument":
        found = document.get("type") if isinstance(document, Mapping) else type(document).__name__
        raise Invalid(Code.MALFORMED, "type", found, N_("an EPCISDocument"))
    body = document.get("epcisBody")
    events = body.get("eventList") if isinstance(body, Mapping) else None
    if not isinstance(events, list):
        raise Invalid(Code.MALFORMED, "epcisBody.eventList", events, N_("a list of events"))
    if len(events) > MOST_EVENTS:
        raise Invalid(
            Code.MALFORMED,
            "epcisBody.eventList",
            len(events),
            N_("at most %(most)d events in a document"),
            most=MOST_EVENTS,
        )
    return events


def is_movement(event: Any) -> bool:
    """Whether it is of a kind that is taken in: what an object event says was shipped or received."""
    return (
        isinstance(event, Mapping) and event.get("type") == "ObjectEvent" and _step(event) in {"shipping", "receiving"}
    )


def movement(event: Json, namespaces: Mapping[str, str], path: str) -> Movement:
    """What an event says.

    Raises:
        Invalid: `malformed`, naming the path of what is missing or cannot be understood.
    """
    at, goods = _instant(event, "eventTime", path), goods_of(event, path)
    digest = _hash(event, namespaces, path)
    papers = [each for each in listed(event, "bizTransactionList", path) if isinstance(each, Mapping)]
    declared_at, surplus = _declared_at(event, path), _is_surplus(event, path)
    advice = next((str(each["bizTransaction"]) for each in papers if _word(each.get("type")) == "desadv"), None)
    return Movement(
        event_id=_id(_text(event.get("eventID") or digest, f"{path}.eventID")),
        digest=digest,
        step=_step(event),
        disposition=_word(event.get("disposition")) or None,
        surplus=surplus,
        at=at,
        goods=goods,
        source=_party(event, "source", path),
        destination=_party(event, "destination", path),
        here=_place(event.get("bizLocation")) or _place(event.get("readPoint")),
        advice=None if advice is None else _text(advice, f"{path}.bizTransactionList"),
        declared_at=declared_at,
        stated={
            name.removeprefix("coldtrail:"): value for name, value in event.items() if name.startswith("coldtrail:")
        },
    )


def _id(text: str) -> str:
    """An id as it is compared; the case of a UUID is nothing (RFC 8141)."""
    return text.lower() if text.lower().startswith("urn:uuid:") else text


def _hash(event: Json, namespaces: Mapping[str, str], path: str) -> str:
    try:
        return event_hash(event, namespaces)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        raise Invalid(Code.MALFORMED, path, "event", N_("an event as EPCIS 2.0 has it")) from error


def _declared_at(event: Json, path: str) -> datetime | None:
    """When it was declared an error; what says so in a way that nobody understands is not taken as if it did not."""
    declared = event.get("errorDeclaration")
    if declared is None:
        return None
    if not isinstance(declared, Mapping):
        raise Invalid(Code.MALFORMED, f"{path}.errorDeclaration", declared, N_("an object"))
    return _instant(declared, "declarationTime", f"{path}.errorDeclaration")


def _is_surplus(event: Json, path: str) -> bool:
    """Whether the goods are new to the one who has them; those that are gone (DELETE) can be neither sent nor had."""
    action = event.get("action")
    if action not in ("OBSERVE", "ADD"):
        raise Invalid(Code.MALFORMED, f"{path}.action", action, N_("OBSERVE, or ADD"))
    return bool(action == "ADD")


def _party(event: Json, key: str, path: str) -> uris.Place | None:
    for each in listed(event, f"{key}List", path):
        if isinstance(each, Mapping) and each.get(key) is not None:
            return uris.place_of(str(each[key]))
    return None


def _place(where: Any) -> uris.Place | None:
    return uris.place_of(str(where.get("id"))) if isinstance(where, Mapping) else None


def _instant(node: Json, name: str, path: str) -> datetime:
    try:
        at = datetime.fromisoformat(str(node.get(name)))
        if at.tzinfo is not None:
            return at
    except ValueError:
        pass
    raise Invalid(
        Code.MALFORMED, f"{path}.{name}", node.get(name), N_("a time with an offset, such as 2026-01-05T08:30:00+08:00")
    )


def _text(value: Any, path: str) -> str:
    text = str(value)
    if not (1 <= len(text) <= 400 and text.isprintable()):
        raise Invalid(Code.MALFORMED, path, text[:400], N_("1 to 400 printable characters"))
    return text


def _step(event: Json) -> str:
    return _word(event.get("bizStep"))


def _word(value: Any) -> str:
    """A word of CBV, in whichever form it is written."""
    text = str(value or "")
    return next((text.removeprefix(prefix) for prefix in _CBV if text.startswith(prefix)), text)
