"""The check before use: whether doses may be given, and every reason that speaks against it.

`no` is what no supervisor can make good: doses past a limit, held, recalled, not there. `ask` is a doubt that a person
has to weigh: a supervisor may override it with a reason. What a programme only flags is shown beside a yes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from inventory.domain.deadlines import LIMITS, Deadline, RuleName
from inventory.domain.instants import civil_day
from inventory.domain.reasons import Reason, ReasonCode, Usable
from inventory.domain.words import Policy, Side


@dataclass(frozen=True)
class Exposed:
    """An excursion of a place where the doses were; it has touched them from `since` on.

    `changed_at` is when we last learned anything new of it.
    """

    excursion: UUID
    sensor: str
    side: Side
    rule: str
    started_at: datetime
    ended_at: datetime | None
    changed_at: datetime
    since: datetime


@dataclass(frozen=True)
class Ran:
    """A clock that ran on the doses until `until`, when they left the place, or go on from it now."""

    name: RuleName
    rule_set: str
    due_at: datetime
    until: datetime


@dataclass(frozen=True)
class Past:
    """What is known of the way of doses: the excursions that touched them, and the clocks that ran on them."""

    exposures: tuple[Exposed, ...] = ()
    clocks: tuple[Ran, ...] = ()

    def at(self, at: datetime) -> "Past":
        """What of it had come about at an instant: excursions that had touched the doses, deadlines they had missed."""
        return Past(
            tuple(each for each in self.exposures if each.since < at),
            tuple(each for each in self.clocks if each.due_at < min(each.until, at)),
        )


@dataclass(frozen=True)
class Scanned:
    """A pack as the book has it: what should be left in it, and how many doses are where it is recorded to be.

    Doses may leave a custody without a scan, so that the first can be more than the second: then the book does not know
    which packs they came from, and this one may be one of them.

    `opened`: its doses are given by the codes of what was in it.
    """

    code: str
    remaining: int
    there: int
    opened: bool = False


@dataclass(frozen=True)
class Doses:
    """Doses that somebody is about to give.

    Attributes:
        expiry: of the label; its day is included, in `zone`.
        facility: who would give them.
        is_site: whether doses are given there at all.
        here: whether the doses are there.
        held: whether they are in quarantine.
        clocks: those that run on them, of which the limits of opened and thawed vials count here.
        previous_gtin: of the person's earlier dose, where the caller says which.
    """

    gtin: str
    expiry: date
    facility: str
    zone: str
    recalled: bool = False
    is_site: bool = True
    here: bool = True
    held: bool = False
    clocks: tuple[Deadline, ...] = ()
    past: Past = Past()
    previous_gtin: str | None = None
    pack: Scanned | None = None


@dataclass(frozen=True)
class Policies:
    """What a programme makes of doses that were exposed, or missed a deadline."""

    on_exposure: Policy = Policy.FLAG
    on_missed: Policy = Policy.FLAG


@dataclass(frozen=True)
class OverrideReason:
    """Why a supervisor lets these doses be given, despite everything that asks about them."""

    reason: str


@dataclass(frozen=True)
class Override:
    """A supervisor's word, given at `occurred_at`, that doses may be used despite the reasons that it covers."""

    id: UUID
    covers: frozenset[ReasonCode]
    occurred_at: datetime
    recorded_at: datetime

    def holds(self, code: ReasonCode, at: datetime) -> bool:
        """Whether it answers for this kind of reason for doses given at an instant; it holds from its own time on."""
        return code in self.covers and self.occurred_at <= at

    def covers_exposure(self, exposed: Exposed) -> bool:
        """Whether the supervisor could know of the excursion, and of all of it.

        One that began later, that late readings showed later, or that has grown worse since, asks again.
        """
        return exposed.started_at <= self.occurred_at and exposed.changed_at <= self.recorded_at

    def covers_deadline(self, missed: Ran) -> bool:
        """Whether the deadline was missed already: doses that came later, and miss their own, ask again."""
        return missed.due_at <= self.occurred_at


def check(doses: Doses, at: datetime, policies: Policies, overrides: Sequence[Override] = ()) -> tuple[Reason, ...]:
    """Every reason to know of before doses are given at an instant: what forbids, what asks, what is only shown."""
    return (
        *_forbidden(doses, at),
        *_limits(doses, at),
        *_of_pack(doses),
        *_of_person(doses),
        *_of_past(doses.past.at(at), at, policies, overrides),
    )


def _forbidden(doses: Doses, at: datetime) -> Iterable[Reason]:
    found: list[tuple[bool, ReasonCode, dict[str, Any]]] = [
        (not doses.is_site, ReasonCode.NOT_A_SITE, {"facility": doses.facility}),
        (not doses.here, ReasonCode.WRONG_FACILITY, {"facility": doses.facility}),
        (doses.recalled, ReasonCode.RECALLED, {}),
        (doses.held, ReasonCode.HELD, {}),
        (civil_day(at, doses.zone) > doses.expiry, ReasonCode.LABEL_EXPIRED, {"expiry": doses.expiry}),
    ]
    return [Reason(code, Usable.NO, facts) for applies, code, facts in found if applies]


_LIMIT_CODES = {RuleName.OPEN_VIAL: ReasonCode.OPEN_VIAL_LIMIT, RuleName.THAW: ReasonCode.THAW_LIMIT}


def _limits(doses: Doses, at: datetime) -> Iterable[Reason]:
    return [
        Reason(_LIMIT_CODES[clock.name], Usable.NO, {"due_at": clock.due_at})
        for clock in doses.clocks
        if clock.name in LIMITS and clock.due_at < at
    ]


def _of_pack(doses: Doses) -> Iterable[Reason]:
    """Of an opened pack, or an empty one, nothing can be given; too much in it is for a person to look at."""
    pack = doses.pack
    if pack is None:
        return []
    if pack.opened:
        return [Reason(ReasonCode.PACK_OPENED, Usable.NO, {"pack": pack.code})]
    if min(pack.remaining, pack.there) == 0:
        return [Reason(ReasonCode.USED_UP, Usable.NO, {"pack": pack.code})]
    if pack.remaining > pack.there:
        facts = {"pack": pack.code, "remaining": pack.remaining, "there": pack.there}
        return [Reason(ReasonCode.PACK_UNCERTAIN, Usable.ASK, facts)]
    return []


def _of_person(doses: Doses) -> Iterable[Reason]:
    if doses.previous_gtin in {None, doses.gtin}:
        return []
    facts = {"previous_gtin": doses.previous_gtin, "gtin": doses.gtin}
    return [Reason(ReasonCode.OTHER_PRODUCT, Usable.ASK, facts)]


def _of_past(past: Past, at: datetime, policies: Policies, overrides: Sequence[Override]) -> Iterable[Reason]:
    for exposed in past.exposures:
        yield _exposure(exposed, at, policies, overrides)
    for missed in past.clocks:
        verdict = _asks(policies.on_missed)
        facts = {"name": missed.name, "rule_set": missed.rule_set, "due_at": missed.due_at}
        covering = [o.id for o in overrides if o.holds(ReasonCode.DEADLINE, at) and o.covers_deadline(missed)]
        yield Reason(ReasonCode.DEADLINE, verdict, facts, _first(covering, verdict))


def _exposure(exposed: Exposed, at: datetime, policies: Policies, overrides: Sequence[Override]) -> Reason:
    """An excursion asks as the programme says.

    A silence is shown and never asks: it breaks no rule of the profile, and who watches with a sensor that fails now
    and then would else be worse off than who has none.
    """
    facts = {
        "excursion": exposed.excursion,
        "sensor": exposed.sensor,
        "side": exposed.side,
        "rule": exposed.rule,
        "started_at": exposed.started_at,
        "ended_at": exposed.ended_at,
    }
    if exposed.side is Side.SILENCE:
        return Reason(ReasonCode.UNSEEN, Usable.YES, facts)
    verdict = _asks(policies.on_exposure)
    covering = [o.id for o in overrides if o.holds(ReasonCode.EXPOSURE, at) and o.covers_exposure(exposed)]
    return Reason(ReasonCode.EXPOSURE, verdict, facts, _first(covering, verdict))


def _asks(policy: Policy) -> Usable:
    return Usable.ASK if policy is Policy.ASK else Usable.YES


def _first(covering: Sequence[UUID], verdict: Usable) -> UUID | None:
    return covering[0] if covering and verdict is Usable.ASK else None
