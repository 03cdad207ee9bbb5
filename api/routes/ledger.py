"""Writing the ledger: each request is carried out once, whatever is repeated."""

from typing import Any
from uuid import UUID

from api.auth import WRITERS, actor, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas.ledger import (
    AdministrationSchema,
    ArrivalSchema,
    DispatchSchema,
    KeySchema,
    PostedSchema,
    ReceiptSchema,
)
from inventory.services.administrations import AdministrationOrder, administer
from inventory.services.posting import Posted, Request
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import ArrivalOrder, DispatchOrder, Line, dispatch, receive_shipment

blueprint = Blueprint("ledger", "ledger", url_prefix="/api/v1", description="Events that move doses")


def _request(headers: dict[str, str]) -> Request:
    return Request(actor(), now(), headers["key"])


def _lines(order: dict[str, Any]) -> dict[str, Any]:
    return {**order, "lines": tuple(Line(**line) for line in order["lines"])}


@blueprint.route("/receipts", methods=["POST"])
@allow(*WRITERS)
@blueprint.arguments(KeySchema, location="headers")
@blueprint.arguments(ReceiptSchema)
@blueprint.response(201, PostedSchema)
def post_receipt(headers: dict[str, str], order: dict[str, Any]) -> Posted:
    """Receive goods from a supplier."""
    return receive_goods(database(), _request(headers), ReceiptOrder(**order))


@blueprint.route("/shipments", methods=["POST"])
@allow(*WRITERS)
@blueprint.arguments(KeySchema, location="headers")
@blueprint.arguments(DispatchSchema)
@blueprint.response(201, PostedSchema)
def post_shipment(headers: dict[str, str], order: dict[str, Any]) -> Posted:
    """Dispatch doses to a store or a site."""
    sensors = tuple(order.pop("sensors"))
    return dispatch(database(), _request(headers), DispatchOrder(**_lines(order), sensors=sensors))


@blueprint.route("/shipments/<uuid:shipment>/receipts", methods=["POST"])
@allow(*WRITERS)
@blueprint.arguments(KeySchema, location="headers")
@blueprint.arguments(ArrivalSchema)
@blueprint.response(201, PostedSchema)
def post_arrival(headers: dict[str, str], order: dict[str, Any], shipment: UUID) -> Posted:
    """Receive a shipment, whole or in part."""
    return receive_shipment(database(), _request(headers), ArrivalOrder(shipment=shipment, **_lines(order)))


@blueprint.route("/administrations", methods=["POST"])
@allow(*WRITERS)
@blueprint.arguments(KeySchema, location="headers")
@blueprint.arguments(AdministrationSchema)
@blueprint.response(201, PostedSchema)
def post_administration(headers: dict[str, str], order: dict[str, Any]) -> Posted:
    """Give doses; the event's id is the administration's."""
    return administer(database(), _request(headers), AdministrationOrder(**order))
