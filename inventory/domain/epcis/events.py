"""One EPCIS event as it is written: when, where, what, and the extensions of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from inventory.domain.epcis import uris
from inventory.domain.epcis.facts import Fact, Line, Measured, Party, Trip
from inventory.domain.epcis.hashing import event_hash
from inventory.domain.temperature import celsius

Json = dict[str, Any]

NAMESPACES = {"coldtrail": uris.PRIVATE, "cbvmda": "urn:epcglobal:cbv:mda:"}
"""The prefixes of extensions; CBV's master data is declared, too, so that every implementation hashes its full name."""

CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", NAMESPACES]
DOSE = "E27"
"""A dose (UN/CEFACT Recommendation 20), where a vial, which is what GTIN and batch count, holds several."""


@dataclass(frozen=True)
class Step:
    """What an event says was done (CBV 2.0), and how its objects are from then on."""

    action: str
    biz_step: str
    disposition: str | None = None
    set: str | None = None
    unset: str | None = None

    @property
    def words(self) -> Json:
        """As an event has it."""
        lasting = {name: [word] for name, word in (("set", self.set), ("unset", self.unset)) if word}
        told = {"action": self.action, "bizStep": self.biz_step}
        told |= {"disposition": self.disposition} if self.disposition else {}
        return told | ({"persistentDisposition": lasting} if lasting else {})


@dataclass(frozen=True)
class Told:
    """What one EPCIS event tells of a fact: a step, of some of its doses, at a place, between two parties.

    `doses` None: the whole batch is meant. `place` None: on its way. Papers are URIs by their CBV type.
    """

    step: Step
    doses: int | None
    place: Party | None
    packs: Mapping[str, int]
    papers: Sequence[tuple[str, str]] = ()
    source: Party | None = None
    destination: Party | None = None
    stays: bool = True
    measured: tuple[Measured, ...] = ()
    more: Mapping[str, Any] | None = None


def object_event(fact: Fact, told: Told) -> Json:
    """An ObjectEvent with its id."""
    return finished(fact, {"type": "ObjectEvent", **when(fact), **_what(fact, told), **told.step.words, **_where(told)})


def when(fact: Fact) -> Json:
    """The instant, with the offset that the facility's clock had then."""
    return {"eventTime": instant(fact.occurred_at), "eventTimeZoneOffset": offset(fact.occurred_at, fact.facility.zone)}


def finished(fact: Fact, event: Json) -> Json:
    """The event with its id, which its error declaration and the time of its record are no part of.

    The id of the stock event makes two events differ that are alike in all else, such as two doses given at a time.
    """
    event |= {"coldtrail:event": str(fact.id), "coldtrail:kind": fact.kind.value}
    event["eventID"] = event_hash(event, NAMESPACES)
    event["recordTime"] = instant(fact.recorded_at)
    if fact.error is not None:
        why = {"coldtrail:reason": fact.error.reason} if fact.error.reason else {}
        event["recordTime"] = instant(fact.error.at)
        event["errorDeclaration"] = {"declarationTime": instant(fact.error.at), "reason": "did_not_occur", **why}
    return event


def _what(fact: Fact, told: Told) -> Json:
    """Packs by their own names, all other doses as a number of the batch."""
    found: Json = {"epcList": [uris.pack(code) for code in told.packs]} if told.packs else {}
    beside = None if told.doses is None else max(told.doses - sum(told.packs.values()), 0)
    if beside or not told.packs:
        found["quantityList"] = [quantity(fact, beside)]
    if told.packs:
        packs = [{"coldtrail:epc": uris.pack(code), "coldtrail:doses": doses} for code, doses in told.packs.items()]
        found["coldtrail:pack"] = packs
        found["coldtrail:batch"] = uris.batch(fact.gtin, fact.batch)
    return found


def quantity(fact: Fact, doses: int | None) -> Json:
    """Doses of the batch; vials of one dose are counted as they are, of others the doses, by their unit."""
    told: Json = {"epcClass": uris.batch(fact.gtin, fact.batch)}
    if doses is not None:
        told["quantity"] = doses
        if fact.doses_per_vial > 1:
            told["uom"] = DOSE
    return told


def _where(told: Told) -> Json:
    found: Json = {}
    if told.place is not None:
        here = {"id": uris.location(told.place.gln, told.place.code)}
        found["readPoint"] = here
        if told.stays:
            found["bizLocation"] = dict(here)
    if told.papers:
        found["bizTransactionList"] = [{"type": kind, "bizTransaction": uri} for kind, uri in told.papers]
    for key, party in (("source", told.source), ("destination", told.destination)):
        if party is not None:
            found[f"{key}List"] = [{"type": "possessing_party", key: uris.party(party.gln, party.code)}]
    if told.measured:
        found["sensorElementList"] = [_element(each) for each in told.measured]
    return found | (dict(told.more) if told.more else {})


def _element(measured: Measured) -> Json:
    report: Json = {"type": "Temperature"}
    if measured.alarmed:
        report["exception"] = "ALARM_CONDITION"
    values = {"minValue": measured.lowest, "maxValue": measured.highest, "meanValue": measured.mean}
    report |= {name: float(celsius(value)) for name, value in values.items() if value is not None}
    metadata = {
        "startTime": instant(measured.since),
        "endTime": instant(measured.until),
        "deviceID": uris.sensor(measured.giai, measured.serial),
    }
    return {"sensorMetadata": metadata, "sensorReport": [report | {"uom": "CEL"}]}


def trip_papers(trip: Trip) -> list[tuple[str, str]]:
    """A shipment is known to both sides by its despatch advice."""
    return [("desadv", uris.transaction(trip.id))]


def doses_of(lines: Sequence[Line]) -> int:
    """How many doses some lines move."""
    return sum(line.doses for line in lines)


def instant(at: datetime) -> str:
    """To the millisecond, in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def offset(at: datetime, zone: str) -> str:
    """How far a zone's clock was ahead of UTC at an instant: +08:00."""
    ahead = at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    minutes = round(ahead.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
