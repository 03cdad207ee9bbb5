"""Questions asked of the facts of the ledger."""

from typing import Any
from uuid import UUID

from api.auth import READERS, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas import answers, queries
from inventory.services import stock, transit
from inventory.services.as_of import AsOf
from inventory.services.paging import Page

ledger = Blueprint("stock", "stock", url_prefix="/api/v1", description="Where doses are")
BLUEPRINTS = (ledger,)


@ledger.route("/stock")
@allow(*READERS)
@ledger.arguments(queries.StockQuery, location="query")
@ledger.response(200, answers.page_of(answers.StockLineSchema))
def get_stock(query: dict[str, Any]) -> Page[stock.StockLine]:
    """What is on hand, and on its way; or was, at an instant."""
    as_of = AsOf.asked(query.pop("at"), query.pop("known_at"), now())
    return stock.list_stock(database(), as_of=as_of, **query)


@ledger.route("/shipments")
@allow(*READERS)
@ledger.arguments(queries.ShipmentQuery, location="query")
@ledger.response(200, answers.page_of(answers.ShipmentSchema))
def get_shipments(query: dict[str, Any]) -> Page[transit.ShipmentView]:
    """Shipments, what is still on their way, and what is missing."""
    page = {name: query.pop(name) for name in ("after", "limit")}
    return transit.list_shipments(database(), transit.ShipmentFilter(**query), now(), **page)


@ledger.route("/shipments/<uuid:shipment>")
@allow(*READERS)
@ledger.response(200, answers.ShipmentSchema)
def get_shipment(shipment: UUID) -> transit.ShipmentView:
    """One shipment."""
    return transit.get_shipment(database(), shipment, now())
