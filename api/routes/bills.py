"""Bills in the shape of the Chinese traceability platform: unofficial, and nothing is uploaded."""

from typing import Any
from uuid import UUID

from api.auth import READERS, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas import bills as schemas
from api.schemas.answers import page_of
from inventory.services.bills import listing, temperatures
from inventory.services.bills.listing import Bill
from inventory.services.events import EventFilter
from inventory.services.paging import Page

blueprint = Blueprint("bills", "bills", url_prefix="/api/v1", description="Bills for the traceability platform")


@blueprint.route("/bills")
@allow(*READERS)
@blueprint.arguments(schemas.BillQuery, location="query")
@blueprint.response(200, page_of(schemas.BillSchema))
def get_bills(query: dict[str, Any]) -> Page[Bill]:
    """Bills of a facility, a batch or a shipment, and what corrections made void, in the order of their events."""
    page = {name: query.pop(name) for name in ("after", "limit")}
    return listing.list_bills(database(), EventFilter(**query), **page)


@blueprint.route("/events/<uuid:event>/bills")
@allow(*READERS)
@blueprint.response(200, schemas.BillSchema(many=True))
def get_event_bills(event: UUID) -> list[Bill]:
    """The bills of one event: none, one, or as many as the ways its doses went."""
    return listing.event_bills(database(), event)


@blueprint.route("/events/<uuid:event>/bill-temperatures")
@allow(*READERS)
@blueprint.response(200, schemas.BillTemperaturesSchema)
def get_bill_temperatures(event: UUID) -> temperatures.BillTemperatures:
    """What the sensors of the event's transport saw, by the hour."""
    return temperatures.transport_temperatures(database(), event, now())
