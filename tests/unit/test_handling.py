"""The table of events: every kind is in it, and what it says an order needs, orders and requests really ask for."""

from dataclasses import fields

import pytest

from api.schemas import ledger as bodies
from api.schemas.fields import Schema
from inventory.domain.handling import HANDLING
from inventory.domain.words import EventKind, Role
from inventory.services.corrections import CorrectionOrder
from inventory.services.counts import CountOrder
from inventory.services.deliveries import ArrivalOrder
from inventory.services.moves import MoveOrder
from inventory.services.quarantine import HoldOrder, ReleaseOrder
from inventory.services.recalls import RecallOrder
from inventory.services.receipts import ReceiptOrder
from inventory.services.shipments import ReturnOrder
from inventory.services.wastages import WastageOrder

ORDERS: list[tuple[EventKind, type, type[Schema]]] = [
    (EventKind.RECEIVE, ReceiptOrder, bodies.ReceiptSchema),
    (EventKind.RECEIVE, ArrivalOrder, bodies.ArrivalSchema),
    (EventKind.MOVE, MoveOrder, bodies.MoveSchema),
    (EventKind.WASTE, WastageOrder, bodies.WastageSchema),
    (EventKind.HOLD, HoldOrder, bodies.HoldSchema),
    (EventKind.RELEASE, ReleaseOrder, bodies.ReleaseSchema),
    (EventKind.COUNT, CountOrder, bodies.CountSchema),
    (EventKind.RETURN, ReturnOrder, bodies.ReturnSchema),
    (EventKind.RECALL, RecallOrder, bodies.RecallSchema),
    (EventKind.CORRECT, CorrectionOrder, bodies.CorrectionSchema),
]


def test_every_kind_of_event_has_its_rule() -> None:
    assert set(HANDLING) == set(EventKind)


@pytest.mark.parametrize(("kind", "order", "body"), ORDERS, ids=lambda each: getattr(each, "__name__", str(each)))
def test_what_an_event_needs_its_order_and_its_request_have(kind: EventKind, order: type, body: type[Schema]) -> None:
    assert HANDLING[kind].needs
    for name in HANDLING[kind].needs:
        assert name in {field.name for field in fields(order)}
        assert name in body().fields


def test_auditors_and_gateways_write_nothing() -> None:
    for rule in HANDLING.values():
        assert not rule.roles & {Role.AUDITOR, Role.GATEWAY}
