"""Trails: a dose or a pack followed to the warehouse it came from, and a batch (see trees) to everywhere it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.domain.budgets import Measures, Use
from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.exposure import Exposure
from inventory.domain.outcomes import Exit, exit_of
from inventory.domain.rollup import microseconds
from inventory.domain.seen import total
from inventory.domain.words import Chosen
from inventory.persistence.database import Database
from inventory.persistence.planning import ONCE
from inventory.services import chains, picks, scans, trail_subjects
from inventory.services.chains import CustodyLine, Step
from inventory.services.evidence import Evidence, Together, evidences_and_sums
from inventory.services.overrides_told import OverrideLine, overrides_of
from inventory.services.pack_places import holder
from inventory.services.pack_uses import PackUse, gone_of, uses_of
from inventory.services.pack_views import left
from inventory.services.picks import Doubt, Ways
from inventory.services.trail_clocks import of_doses
from inventory.services.trail_subjects import measures_of
from inventory.services.trees import BatchTrail as BatchTrail
from inventory.services.trees import Branches as Branches
from inventory.services.trees import batch_trail as batch_trail
from inventory.services.watches import Stay


@dataclass(frozen=True)
class Stage:
    """A custody on the way of a dose, until the dose left it, with what was seen of its place meanwhile."""

    custody: CustodyLine
    until: datetime
    evidence: Evidence


@dataclass(frozen=True)
class Chain:
    """Doses with one way: how its last custody was chosen, and the stages from the root to the end.

    `exposure` is that of the whole way, of several sensors in a place the worst; `budgets` are what was used of each
    that the product has, none where it has none. Where a custody was picked, `doubt` is what the doses may have gone
    through at worst.
    """

    doses: int
    chosen: Chosen | None
    stages: tuple[Stage, ...]
    exposure: Exposure
    budgets: tuple[Use, ...]
    doubt: Doubt | None


@dataclass(frozen=True)
class DoseTrail:
    """The chain of custody of administered doses, from the supplier's receipt to the administration.

    One administration may take doses from several custodies: then it has as many chains. `overrides` are what it relied
    on, where the check before use asked.
    """

    gtin: str
    batch: str
    administration: Step
    facility: str
    corrected: bool
    overrides: tuple[OverrideLine, ...]
    chains: tuple[Chain, ...]


@dataclass(frozen=True)
class PackTrail:
    """The way of a pack: the chain of the custody that holds it, or the pack around it, up to now or to its last use.

    None of a pack that was announced and not received, or opened and handed down to those in it. `uses` are the events
    that took doses of it by its code. Its custodies are known and not picked, for a pack moves by its own code, or with
    all that a custody held.
    """

    code: str
    gtin: str
    batch: str
    level: int
    parent: str | None
    held_by: str | None
    opened: bool
    doses: int
    remaining: int
    chain: Chain | None
    uses: tuple[PackUse, ...]


class _Leaving(NamedTuple):
    """Doses that left a custody, or are in it still, where there is no way."""

    batch_id: UUID
    custody: UUID
    doses: int
    at: datetime
    way: Exit | None
    chosen: Chosen | None


def administration_trail(database: Database, administration: UUID) -> DoseTrail:
    """The way of the doses that one administration gave.

    Raises:
        NotFound: `not_found`.
    """
    with database.read(ONCE) as session:
        rows = trail_subjects.administration(session, administration)
        if not rows:
            raise NotFound(Code.NOT_FOUND, "administration", administration, N_("the id of an administration"))
        given, lines = rows[0], {row.line: row for row in rows}
        measures = measures_of([row for row in rows if row.line == given.line])
        ways = tuple(
            _chain(session, _given(line), measures, chains.chain(session, line.batch_id, line.custody))
            for line in lines.values()
        )
        step = Step(given.id, given.kind, given.occurred_at, given.recorded_at, given.actor)
        overrides = overrides_of(session, given.batch_id, given.details)
        return DoseTrail(given.gtin, given.number, step, given.facility, given.corrected, overrides, ways)


def _given(line: Any) -> _Leaving:
    way = exit_of(line.end_kind, into_shipment=False)
    return _Leaving(line.batch_id, line.custody, line.doses, line.left_at, way, line.chosen)


def pack_trail(database: Database, text: str, now: datetime) -> PackTrail:
    """The way of a pack, by whatever a scanner gives.

    Raises:
        NotFound: `not_found`.
        Invalid: `malformed`, `wrong_check_digit`; Conflict: `pack_differs` for a label of another batch or expiry.
    """
    scan = scans.read(text)
    with database.read(ONCE) as session:
        found = holder(session, scan.code)
        pack = found.pack
        told = trail_subjects.batch(session, pack.batch_id)
        batch, measures = told[0], measures_of(told)
        scan.agree("pack", batch.number, batch.expiry)
        way = [] if found.custody_id is None else chains.chain(session, pack.batch_id, found.custody_id)
        custodies, there = [told[0].id for told in way], way[-1][0].remaining if way else pack.remaining
        chain = None
        if found.custody_id is not None:
            at, end = gone_of(session, found, custodies, there) or (now, None)
            left_by = None if end is None else Exit(end.value)
            leaving = _Leaving(pack.batch_id, found.custody_id, pack.doses, at, left_by, Chosen.SCANNED)
            chain = _chain(session, leaving, measures, way, certain=True)
        return PackTrail(
            code=pack.code,
            gtin=batch.gtin,
            batch=batch.number,
            level=pack.level,
            parent=pack.parent_code,
            held_by=found.way[-1].code if found.custody_id else None,
            opened=pack.opened,
            doses=pack.doses,
            remaining=min(left(session, found), there),
            chain=chain,
            uses=uses_of(session, found, custodies),
        )


def _chain(
    session: Session, leaving: _Leaving, measures: Measures, way: Sequence[Sequence[Any]], *, certain: bool = False
) -> Chain:
    """Root to end: each custody lasted, for these doses, until the next one opened or they left it."""
    rows = [told[0] for told in way]
    lefts = [row.occurred_at for row in rows[1:]] + [max(leaving.at, rows[-1].occurred_at)]
    stays = [Stay(row.location_id, row.occurred_at, left) for row, left in zip(rows, lefts, strict=True)]
    ways = None if certain else _ways(session, leaving, rows)
    seen, others = _evidence(session, stays, ways, measures)
    whole = total((each.worst for each in seen), len(measures.intervals))
    length = sum((stay.until - stay.since for stay in stays), timedelta())
    unseen = sum((each.unseen - each.archived for each in seen), timedelta())
    uncertain = timedelta(microseconds=whole.unknown + whole.undecided)
    lines = _lines(way, leaving)
    return Chain(
        doses=leaving.doses,
        chosen=leaving.chosen,
        stages=tuple(Stage(*each) for each in zip(lines, lefts, seen, strict=True)),
        exposure=_of_all(whole.exposure(microseconds(length)), unseen),
        budgets=tuple(measures.uses(whole, unseen + uncertain)),
        doubt=None if ways is None else picks.doubt_of(ways, others, [row.id for row in rows]),
    )


def _of_all(exposure: Exposure, unseen: timedelta) -> Exposure:
    """Of places with several sensors, only what none of them saw is unseen."""
    return Exposure(
        exposure.above,
        exposure.below,
        unseen,
        exposure.lowest,
        exposure.highest,
        exposure.mean_kinetic,
        exposure.uncertain,
    )


def _lines(chain: Sequence[Sequence[Any]], leaving: _Leaving) -> list[CustodyLine]:
    """The custodies of a chain, with the clocks of the doses that went this way."""
    found = []
    for depth, (told, following) in enumerate(zip(chain, [*chain[1:], ()], strict=True)):
        carried = {each.name for each in following}
        way, at = leaving.way, leaving.at
        if following:
            way, at = exit_of(None, into_shipment=following[0].place_shipment is not None), following[0].occurred_at
        clocks = [each for each in told if each.name is not None]
        mine = [of_doses(each, leaving.doses, way, at, goes_on=each.name in carried) for each in clocks]
        found.append(chains.line(told[0], depth, mine, told[0].remaining))
    return found


def _ways(session: Session, leaving: _Leaving, rows: Sequence[Any]) -> Ways | None:
    """All ways that the doses may have come, where anything on their way was picked."""
    if leaving.chosen is not Chosen.PICKED and not any(row.chosen is Chosen.PICKED for row in rows):
        return None
    return picks.ways(session, leaving.batch_id, rows, leaving.at, leaving.chosen)


def _evidence(
    session: Session, stays: Sequence[Stay], ways: Ways | None, measures: Measures
) -> tuple[list[Evidence], list[Together]]:
    """What was seen of the stays of a chain, and of those of all ways."""
    return evidences_and_sums(session, stays, [] if ways is None else list(ways.stays.values()), measures)
