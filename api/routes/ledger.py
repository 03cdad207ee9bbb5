"""Writing the ledger: each request is carried out once, whatever is repeated."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from marshmallow import ValidationError

from api.auth import WRITERS, actor, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.problems import from_fault, from_schema
from api.schemas import ledger as orders
from api.schemas.fields import Malformed, Schema
from api.schemas.posted import PostedListSchema, PostedSchema
from inventory.domain.errors import ColdtrailError
from inventory.domain.handling import HANDLING
from inventory.domain.words import EventKind
from inventory.persistence.database import Database
from inventory.services.administrations import (
    AdministrationList,
    AdministrationOrder,
    administer,
    administer_list,
)
from inventory.services.corrections import CorrectionOrder, correct
from inventory.services.counts import CountOrder, count
from inventory.services.deliveries import ArrivalLine, ArrivalOrder, receive_shipment
from inventory.services.moves import MoveOrder, move
from inventory.services.openings import OpeningOrder, open_vials
from inventory.services.posting import Fault, Posted, Request
from inventory.services.quarantine import HoldOrder, ReleaseOrder, hold, release
from inventory.services.recalls import RecallOrder, recall
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, ReturnOrder, dispatch, return_doses
from inventory.services.shortfalls import ExplanationOrder, explain
from inventory.services.wastages import WastageOrder, waste

blueprint = Blueprint("ledger", "ledger", url_prefix="/api/v1", description="Events that move doses")

Service = Callable[[Database, Request, Any], Posted]


def _request(headers: dict[str, str]) -> Request:
    return Request(actor(), now(), headers["key"])


def _frozen(order: dict[str, Any], line: type[Any] = Line) -> dict[str, Any]:
    """The order with its lists as tuples, its lines as the service knows them."""
    frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in order.items()}
    if "lines" in frozen:
        frozen["lines"] = tuple(line(**_frozen(each)) for each in frozen["lines"])
    return frozen


def _event(kind: EventKind, path: str, schema: type[Schema], order: type[Any], service: Service, does: str) -> None:
    """A POST that carries out one order and answers what it wrote."""

    @blueprint.route(path, methods=["POST"], endpoint=service.__name__)
    @allow(*HANDLING[kind].roles)
    @blueprint.arguments(orders.KeySchema, location="headers")
    @blueprint.arguments(schema)
    @blueprint.response(201, PostedSchema)
    @blueprint.doc(summary=does)
    def post(headers: dict[str, str], body: dict[str, Any]) -> Posted:
        return service(database(), _request(headers), order(**_frozen(body)))


_event(
    EventKind.RECEIVE, "/receipts", orders.ReceiptSchema, ReceiptOrder, receive_goods, "Receive goods from a supplier"
)
_event(
    EventKind.DISPATCH,
    "/shipments",
    orders.DispatchSchema,
    DispatchOrder,
    dispatch,
    "Dispatch doses to a store or a site",
)
_event(EventKind.RETURN, "/returns", orders.ReturnSchema, ReturnOrder, return_doses, "Return doses up the line")
_event(EventKind.MOVE, "/moves", orders.MoveSchema, MoveOrder, move, "Put doses into another appliance")
_event(EventKind.OPEN, "/openings", orders.OpeningSchema, OpeningOrder, open_vials, "Open vials of several doses")
_event(
    EventKind.ADMINISTER, "/administrations", orders.AdministrationSchema, AdministrationOrder, administer, "Give doses"
)
_event(EventKind.WASTE, "/wastages", orders.WastageSchema, WastageOrder, waste, "Waste doses")
_event(EventKind.HOLD, "/holds", orders.HoldSchema, HoldOrder, hold, "Isolate doses")
_event(EventKind.RELEASE, "/releases", orders.ReleaseSchema, ReleaseOrder, release, "Give isolated doses free")
_event(EventKind.COUNT, "/counts", orders.CountSchema, CountOrder, count, "Record a count")
_event(EventKind.RECALL, "/recalls", orders.RecallSchema, RecallOrder, recall, "Recall a batch everywhere")


@blueprint.route("/shipments/<uuid:shipment>/receipts", methods=["POST"])
@allow(*WRITERS)
@blueprint.arguments(orders.KeySchema, location="headers")
@blueprint.arguments(orders.ArrivalSchema)
@blueprint.response(201, PostedSchema)
def post_arrival(headers: dict[str, str], order: dict[str, Any], shipment: UUID) -> Posted:
    """Receive a shipment: whole, in part, damaged, or refused."""
    arrival = ArrivalOrder(shipment=shipment, **_frozen(order, ArrivalLine))
    return receive_shipment(database(), _request(headers), arrival)


@blueprint.route("/shipments/<uuid:shipment>/explanations", methods=["POST"])
@allow(*WRITERS)
@blueprint.arguments(orders.KeySchema, location="headers")
@blueprint.arguments(orders.ExplanationSchema)
@blueprint.response(201, PostedSchema)
def post_explanation(headers: dict[str, str], order: dict[str, Any], shipment: UUID) -> Posted:
    """Say what became of doses that did not arrive."""
    return explain(database(), _request(headers), ExplanationOrder(shipment=shipment, **order))


@blueprint.route("/events/<uuid:event>/reversal", methods=["POST"])
@allow(*WRITERS)
@blueprint.arguments(orders.KeySchema, location="headers")
@blueprint.arguments(orders.CorrectionSchema)
@blueprint.response(201, PostedSchema)
def post_reversal(headers: dict[str, str], order: dict[str, Any], event: UUID) -> Posted:
    """Correct an event by reversing it."""
    return correct(database(), _request(headers), CorrectionOrder(event=event, **order))


@blueprint.route("/administration-lists", methods=["POST"])
@allow(*WRITERS)
@blueprint.arguments(orders.KeySchema, location="headers")
@blueprint.arguments(orders.AdministrationListSchema)
@blueprint.response(200, PostedListSchema)
def post_administration_list(headers: dict[str, str], order: dict[str, Any]) -> dict[str, Any]:
    """Give doses line by line; a line that is refused leaves the others as they are."""
    lines = order["administrations"]
    good = tuple(AdministrationOrder(**line) for line in lines if isinstance(line, dict))
    malformed = tuple((place, line.text) for place, line in enumerate(lines) if isinstance(line, Malformed))
    posted = iter(administer_list(database(), _request(headers), AdministrationList(good, malformed)).results)
    return {"results": [_result(line if isinstance(line, Malformed) else next(posted)) for line in lines]}


def _result(result: Posted | Fault | Malformed) -> dict[str, Any]:
    if isinstance(result, Posted):
        return {"status": 201, "posted": result, "problem": None}
    problem = from_fault(result) if isinstance(result, Fault) else _problem(result.why)
    return {"status": problem["status"], "posted": None, "problem": problem}


def _problem(why: ValidationError | ColdtrailError) -> dict[str, Any]:
    return from_schema(why.messages) if isinstance(why, ValidationError) else from_fault(Fault.of(why))
