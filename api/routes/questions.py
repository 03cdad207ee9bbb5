"""Questions asked of the facts."""

from typing import Any
from uuid import UUID

from api.auth import READERS, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas import answers, queries
from inventory.services import evidence, excursions, series, stock, trails, transit
from inventory.services.paging import Page

ledger = Blueprint("stock", "stock", url_prefix="/api/v1", description="Where doses are")
trail = Blueprint("trails", "trails", url_prefix="/api/v1", description="How doses came to be where they are")
cold_chain = Blueprint("cold-chain", "cold-chain", url_prefix="/api/v1", description="What the sensors saw")
BLUEPRINTS = (ledger, trail, cold_chain)


@ledger.route("/stock")
@allow(*READERS)
@ledger.arguments(queries.StockQuery, location="query")
@ledger.response(200, answers.page_of(answers.StockLineSchema))
def get_stock(query: dict[str, Any]) -> Page[stock.StockLine]:
    """What is on hand, and on its way."""
    return stock.list_stock(database(), **query)


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


@trail.route("/batches/<gtin>/<batch:batch>/trail")
@allow(*READERS)
@trail.response(200, answers.BatchTrailSchema)
def get_batch_trail(gtin: str, batch: str) -> trails.BatchTrail:
    """Everywhere that a batch went; a batch number may hold a slash."""
    return trails.batch_trail(database(), gtin, batch)


@trail.route("/administrations/<uuid:administration>/trail")
@allow(*READERS)
@trail.response(200, answers.DoseTrailSchema)
def get_administration_trail(administration: UUID) -> trails.DoseTrail:
    """The way of given doses back to the warehouse, with what was seen of each place."""
    return trails.administration_trail(database(), administration)


@cold_chain.route("/excursions")
@allow(*READERS)
@cold_chain.arguments(queries.ExcursionQuery, location="query")
@cold_chain.response(200, answers.page_of(answers.ExcursionSchema))
def get_excursions(query: dict[str, Any]) -> Page[evidence.ExcursionSummary]:
    """Excursions and silences."""
    standing = not query.pop("cancelled")
    return excursions.list_excursions(database(), standing=standing, **query)


@cold_chain.route("/excursions/<uuid:excursion>")
@allow(*READERS)
@cold_chain.response(200, answers.ExcursionSchema)
def get_excursion(excursion: UUID) -> evidence.ExcursionSummary:
    """One excursion."""
    return excursions.get_excursion(database(), excursion)


@cold_chain.route("/excursions/<uuid:excursion>/impact")
@allow(*READERS)
@cold_chain.response(200, answers.ImpactSchema)
def get_impact(excursion: UUID) -> excursions.Impact:
    """The doses that were there, and what became of each."""
    return excursions.excursion_impact(database(), excursion)


@cold_chain.route("/sensors/<serial>/readings")
@allow(*READERS)
@cold_chain.arguments(queries.ReadingQuery, location="query")
@cold_chain.response(200, answers.ReadingsSchema)
def get_readings(query: dict[str, Any], serial: str) -> series.Readings:
    """A sensor's readings."""
    return series.list_readings(database(), serial, **query)


@cold_chain.route("/rejected-messages")
@allow(*READERS)
@cold_chain.arguments(queries.PageQuery, location="query")
@cold_chain.response(200, answers.page_of(answers.RejectedSchema))
def get_rejected(query: dict[str, Any]) -> Page[series.RejectedLine]:
    """Messages that were kept aside, with the reason."""
    return series.list_rejected(database(), **query)
