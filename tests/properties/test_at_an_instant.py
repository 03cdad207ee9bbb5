"""What was so at an instant, and what was known of it at another; and who was in a place, and what became of them.

Both are asked of random histories with late entries and corrections, and answered by a replay in plain Python of what
was recorded: the first by sums over lines, the second by following each dose by itself.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from inventory.domain.instants import FOREVER
from inventory.domain.words import ApplianceKind, EventKind
from inventory.persistence import tables
from inventory.services import equipment
from inventory.services.as_of import AsOf
from inventory.services.fates import Doses, Window, follow
from inventory.services.recall_progress import get_recall
from inventory.services.recalls import RecallOrder, recall
from inventory.services.stock import list_stock
from tests.counties import CountyTemplate
from tests.county import HOUR, MINUTE, ONE
from tests.properties.histories import BEGAN, History, Moved

FEW = settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a smaller seed is no simpler history
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
STEPS = 40


@contextmanager
def played(template: CountyTemplate, seed: int) -> Iterator[History]:
    """A random history in a county of its own."""
    with template.fresh() as county:
        equipment.add_appliance(
            county.database, equipment.ApplianceRecord("A-BOX", "SITE-A", "Box", ApplianceKind.COLD_BOX)
        )
        yield History(county, Random(seed)).play(STEPS)


def balances(lines: Sequence[Moved], as_of: AsOf) -> dict[UUID, int]:
    """What each custody held by the lines that had happened and were recorded; nothing where it held nothing."""
    held: Counter[UUID] = Counter()
    for line in lines:
        if line.at <= (as_of.at or FOREVER) and line.recorded_at <= (as_of.known_at or FOREVER):
            if line.source is not None:
                held[line.source] -= line.doses
            if line.target is not None:
                held[line.target] += line.doses
    return {custody: doses for custody, doses in held.items() if doses}


def instants(history: History, random: Random) -> Iterator[datetime | None]:
    """Now, and times at, before and after those of events."""
    yield None
    known = [each for event in history.events for each in (event.occurred_at, event.recorded_at)]
    for at in random.sample(known, 4):
        yield at + random.choice([-1, 0, 1]) * MINUTE


@FEW
@given(st.integers(0, 1 << 32))
def test_what_is_told_of_a_history_is_a_replay_of_what_was_recorded(any_county: CountyTemplate, seed: int) -> None:
    with played(any_county, seed) as history:
        stock_is_told_as_it_was_and_as_it_was_known(history, Random(seed))
        who_was_in_some_places_and_what_became_of_them_is_so_dose_by_dose(history, Random(seed))
        a_recall_is_told_as_it_was_and_as_it_was_known(history)


def stock_is_told_as_it_was_and_as_it_was_known(history: History, random: Random) -> None:
    lines = history.lines()
    for known_at in instants(history, random):
        for at in instants(history, random):
            as_of = AsOf(at, known_at)
            told = list_stock(history.database, None, None, None, 1000, as_of).items
            assert {line.custody: line.doses for line in told} == balances(lines, as_of), as_of


def a_recall_is_told_as_it_was_and_as_it_was_known(history: History) -> None:
    before = history.now
    history.now += HOUR
    order = RecallOrder("CITY", ONE, "B1", history.now, "doubt")
    recalled = history.keep(recall(history.database, history.request(), order)).events[-1].id
    batch = {each.id for each in history.events if (each.gtin, each.batch) == (ONE, "B1")}
    lines = [line for line, event in zip(history.lines(), with_events(history), strict=True) if event in batch]
    for at in (None, before, BEGAN + HOUR):
        for known_at in (None, before, before - 3 * HOUR):
            as_of = AsOf(at, known_at)
            progress = get_recall(history.database, recalled, as_of)
            counted = [
                line for line in lines if line.at <= (at or FOREVER) and line.recorded_at <= (known_at or FOREVER)
            ]
            assert progress.doses == sum(line.doses for line in counted if line.source is None)
            assert progress.doses_held + progress.doses_free == sum(balances(lines, as_of).values())
            ends: Counter[Any] = Counter()
            for line in counted:
                ends[line.end] += line.doses
            assert progress.doses_given == ends["administered"]
            assert (progress.wasted, progress.missing) == (ends["wasted"], ends["missing"])
            assert progress.not_accounted_for + progress.located + progress.doses_given + progress.wasted == (
                progress.doses - progress.returned
            )
            assert 0 <= progress.completeness <= 1


def with_events(history: History) -> Iterator[UUID]:
    """The event of each line."""
    for event in history.events:
        for _ in event.movements:
            yield event.id


@dataclass
class Dose:
    """One dose on its own: where it was from when to when, how it ended."""

    batch: tuple[str, str]
    stays: list[tuple[UUID, datetime, datetime]] = field(default_factory=list)
    end: str | None = None


def doses_of(history: History) -> list[Dose]:
    """Every dose followed from where it came from to where it is; those that leave a custody first are its first."""
    places = places_of(history)
    held: dict[UUID, list[Dose]] = defaultdict(list)
    since: dict[UUID, datetime] = {}
    every: list[Dose] = []
    lines = [(line, event) for event in history.standing for line in event.movements]
    order = {event.id: number for number, event in enumerate(history.events)}
    # A line takes from a custody that an event opened at the same time at the latest, and that was recorded before.
    for line, event in sorted(lines, key=lambda each: (each[1].occurred_at, order[each[1].id])):
        at = event.occurred_at
        if line.from_custody is None:
            taken = [Dose((event.gtin, event.batch)) for _ in range(line.doses)]
            every += taken
        else:
            taken = [held[line.from_custody].pop() for _ in range(line.doses)]
            for dose in taken:
                dose.stays.append((places[line.from_custody], since[line.from_custody], at))
        if line.to_custody is None:
            end(taken, line.end)
        else:
            held[line.to_custody] += taken
            since[line.to_custody] = at
    for custody, left in held.items():
        for dose in left:
            dose.stays.append((places[custody], since[custody], FOREVER))
    return every


def places_of(history: History) -> dict[UUID, UUID]:
    """The location of each custody."""
    with history.database.read() as session:
        rows = session.execute(select(tables.Custody.id, tables.Custody.location_id))
        return {row.id: row.location_id for row in rows}


def end(doses: Sequence[Dose], how: str | None) -> None:
    for dose in doses:
        dose.end = how


def was_there(dose: Dose, places: set[UUID], window: Window) -> bool:
    return any(place in places and came < window.until and left > window.since for place, came, left in dose.stays)


def who_was_in_some_places_and_what_became_of_them_is_so_dose_by_dose(history: History, random: Random) -> None:
    every = doses_of(history)
    with history.database.read() as session:
        locations = session.scalars(select(tables.Location)).all()
        kinds = {each.id: each.kind for each in locations}
        for _ in range(30):
            windows = list(some_windows(history, random, locations))
            found = follow(session, Doses.there(windows))
            there = [dose for dose in every if any(was_there(dose, within(locations, each), each) for each in windows)]
            told: Counter[Any] = Counter()
            for each in found:
                assert each.doses == each.fate.doses, windows
                for kind, doses in [*each.fate.left.items(), *each.fate.ended.items()]:
                    told[each.gtin, each.batch, str(kind)] += doses
            expected = Counter((*dose.batch, str(dose.end or kinds[dose.stays[-1][0]])) for dose in there)
            assert told == expected, windows


def within(locations: Sequence[Any], window: Window) -> set[UUID]:
    """The locations of an appliance or a shipment."""
    named = (window.appliance_id, window.shipment_id)
    return {each.id for each in locations if (each.appliance_id, each.shipment_id) == named}


def some_windows(history: History, random: Random, locations: Sequence[Any]) -> Iterator[Window]:
    """One to three times at places, most of which begin or end as doses come there or leave."""
    by_id, places = {each.id: each for each in locations}, places_of(history)
    lines = [(event.occurred_at, line) for event in history.events for line in event.movements]
    for _ in range(random.choice([1, 1, 2, 3])):
        at, line = random.choice(lines)
        custody = random.choice([each for each in (line.from_custody, line.to_custody) if each])
        place = by_id[places[custody]]
        other, _ = random.choice(lines)
        since, until = sorted([at, random.choice([other, at + 20 * MINUTE, at - 20 * MINUTE])])
        yield Window(place.appliance_id, place.shipment_id, since, random.choice([until, until, FOREVER]))


def test_the_histories_hold_what_they_are_for(sqlite_county: CountyTemplate) -> None:
    """Late entries, corrections, quarantine, vials and counts: without them the laws above would say little."""
    done: Counter[EventKind] = Counter()
    late = 0
    for seed in (1, 2, 3, 4):
        with played(sqlite_county, seed) as history:
            done.update(event.kind for event in history.events)
            late += sum(event.occurred_at < event.recorded_at for event in history.events)
    wanted = set(EventKind) - {EventKind.RETURN, EventKind.RECALL, EventKind.OVERRIDE}
    assert wanted <= done.keys(), done
    assert late > 5
