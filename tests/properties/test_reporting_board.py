"""Law 7 for reports: what the board says of them is a recomputation from what was said of each adverse event."""

from collections import defaultdict
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from inventory.domain.adverse_events import AdverseEventKind, Nature
from inventory.domain.deadlines import SOON, Status
from inventory.domain.errors import ColdtrailError
from inventory.services.administrations import AdministrationOrder, administer
from inventory.services.adverse_events import (
    AdverseEventOrder,
    ReportOrder,
    UpdateOrder,
    record_adverse_event,
    report_adverse_event,
    update_adverse_event,
)
from inventory.services.board import list_deadlines
from inventory.services.deliveries import ArrivalOrder, receive_shipment
from inventory.services.posting import Request
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, dispatch
from tests.counties import CountyTemplate
from tests.county import COOL, EXPIRY, HOUR, NOW, ONE, PAPERS, County

URGENT = {
    AdverseEventKind.DISABILITY,
    AdverseEventKind.DEATH,
    AdverseEventKind.CLUSTER,
    AdverseEventKind.PUBLIC_CONCERN,
}
Said = tuple[Nature, AdverseEventKind | None, datetime]


def recomputed(said: list[Said], now: datetime) -> tuple[Status, datetime]:
    """Where a clock stands, by another way than the domain's: the demands to report, and what met each."""
    heard: list[tuple[AdverseEventKind, datetime, list[datetime]]] = []
    for nature, kind, at in said:
        if nature is Nature.REPORT:
            heard[-1][2].append(at)
            continue
        told: list[datetime] = []
        what = kind or heard[-1][0]
        if nature is Nature.CORRECTION:
            before, _, reports = heard.pop()
            told = reports if what == before or what not in URGENT else []
        heard.append((what, at, told))
    due, met, last = heard[0][1] + hours(heard[0][0]), earliest(heard[0][2]), heard[0][0]
    for kind, at, told in heard[1:]:
        if kind in URGENT and kind != last:
            due = at + hours(kind) if met is not None else min(due, at + hours(kind))
            met = None
        met, last = met or earliest(told), kind
    if met is not None:
        return (Status.MET if met <= due else Status.MISSED), due
    if now > due:
        return Status.MISSED, due
    return (Status.DUE_SOON if due - now < SOON else Status.OPEN), due


def hours(kind: AdverseEventKind) -> timedelta:
    return (2 if kind in URGENT else 48) * HOUR


def earliest(times: list[datetime]) -> datetime | None:
    return min(times) if times else None


def given_dose(county: County) -> UUID:
    """A dose at site A, long ago."""
    actor, database, began = county.actor("admin"), county.database, NOW - 200 * HOUR
    request = (Request(actor, NOW, f"dose-{number}") for number in range(4))
    receive_goods(
        database,
        next(request),
        ReceiptOrder("COUNTY", "MAKER", ONE, "B1", EXPIRY, 9, "COUNTY-ROOM", began, PAPERS, COOL),
    )
    sent = dispatch(database, next(request), DispatchOrder("COUNTY", "SITE-A", began, (Line(ONE, "B1", 9),)))
    assert sent.shipment is not None
    receive_shipment(database, next(request), ArrivalOrder(sent.shipment, "A-FRIDGE", began + HOUR, transport=COOL))
    order = AdministrationOrder("SITE-A", ONE, "B1", 1, began + 2 * HOUR)
    return administer(database, next(request), order).events[-1].id


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 1 << 32))
def test_what_the_board_says_of_reports_follows_from_what_was_said(any_county: CountyTemplate, seed: int) -> None:
    random = Random(seed)
    with any_county.fresh() as county:
        dose, actor, database = given_dose(county), county.actor("admin"), county.database
        said: dict[UUID, list[Said]] = defaultdict(list)
        at = NOW - 150 * HOUR
        for step in range(25):
            at += random.choice([0, 1, 2, 5]) * HOUR
            request, kind = Request(actor, NOW, f"step-{step}"), random.choice([None, *AdverseEventKind])
            nature = random.choice(list(Nature)) if len(said) > 2 else Nature.FIRST
            event = random.choice(list(said)) if said else None
            try:
                if nature is Nature.FIRST or event is None:
                    kind = kind or AdverseEventKind.GENERAL
                    order = AdverseEventOrder(f"CASE-{step}", dose, kind, NOW - 190 * HOUR, at)
                    event = record_adverse_event(database, request, order).about
                elif nature is Nature.REPORT:
                    report_adverse_event(database, request, ReportOrder(event, at, "County CDC"))
                else:
                    update_adverse_event(database, request, UpdateOrder(event, nature, at, kind))
            except ColdtrailError:
                continue
            said[event].append((nature, kind, at))
        for now in (at, at + 5 * HOUR, at - 40 * HOUR, NOW + 100 * HOUR):
            expected = {event: recomputed(history, now) for event, history in said.items()}
            for status in Status:
                told = {
                    line.report.adverse_event: (line.status, line.due_at)
                    for line in list_deadlines(database, None, status, now, None, 1000).items
                    if line.report
                }
                assert told == {event: each for event, each in expected.items() if each[0] is status}
