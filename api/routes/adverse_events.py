"""Adverse events after a dose, their reports, and the doses that shared something with it."""

from typing import Any
from uuid import UUID

from api.auth import READERS, WRITERS, actor, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas import adverse_events as schemas
from api.schemas.answers import page_of
from api.schemas.ledger import KeySchema
from inventory.services import adverse_event_history as history
from inventory.services import adverse_events as events
from inventory.services import shared_custody as sharing
from inventory.services.paging import Page
from inventory.services.posting import PostedStatement, Request
from inventory.services.shared_doses import SharedDoses

blueprint = Blueprint(
    "adverse-events", "adverse-events", url_prefix="/api/v1", description="What followed a dose, and who else had it"
)


def _request(headers: dict[str, str]) -> Request:
    return Request(actor(), now(), headers["key"])


@blueprint.route("/adverse-events", methods=["POST"])
@allow(*WRITERS)
@blueprint.arguments(KeySchema, location="headers")
@blueprint.arguments(schemas.AdverseEventOrderSchema)
@blueprint.response(201, schemas.PostedStatementSchema)
def post_adverse_event(headers: dict[str, str], order: dict[str, Any]) -> PostedStatement:
    """Attach an adverse event to an administration."""
    return events.record_adverse_event(database(), _request(headers), events.AdverseEventOrder(**order))


@blueprint.route("/adverse-events/<uuid:adverse_event>/updates", methods=["POST"])
@allow(*WRITERS)
@blueprint.arguments(KeySchema, location="headers")
@blueprint.arguments(schemas.UpdateOrderSchema)
@blueprint.response(201, schemas.PostedStatementSchema)
def post_update(headers: dict[str, str], order: dict[str, Any], adverse_event: UUID) -> PostedStatement:
    """Follow an adverse event up, or correct what was said of it last."""
    return events.update_adverse_event(database(), _request(headers), events.UpdateOrder(adverse_event, **order))


@blueprint.route("/adverse-events/<uuid:adverse_event>/reports", methods=["POST"])
@allow(*WRITERS)
@blueprint.arguments(KeySchema, location="headers")
@blueprint.arguments(schemas.ReportOrderSchema)
@blueprint.response(201, schemas.PostedStatementSchema)
def post_report(headers: dict[str, str], order: dict[str, Any], adverse_event: UUID) -> PostedStatement:
    """Say that an adverse event was reported on, to the county CDC for instance."""
    return events.report_adverse_event(database(), _request(headers), events.ReportOrder(adverse_event, **order))


@blueprint.route("/adverse-events")
@allow(*READERS)
@blueprint.arguments(schemas.AdverseEventQuery, location="query")
@blueprint.response(200, page_of(schemas.AdverseEventSchema))
def get_adverse_events(query: dict[str, Any]) -> Page[history.AdverseEventView]:
    """Adverse events with what was said last of each, in the order in which they were recorded."""
    return history.list_adverse_events(database(), **query)


@blueprint.route("/adverse-events/<uuid:adverse_event>")
@allow(*READERS)
@blueprint.response(200, schemas.AdverseEventHistorySchema)
def get_adverse_event(adverse_event: UUID) -> history.AdverseEventHistory:
    """One adverse event with all that was ever said of it."""
    return history.get_adverse_event(database(), adverse_event)


@blueprint.route("/adverse-events/<uuid:adverse_event>/shared-custody")
@allow(*READERS)
@blueprint.response(200, schemas.SharedCustodySchema)
def get_shared_custody(adverse_event: UUID) -> sharing.SharedCustody:
    """What shared the vial, a fridge or a trip with the dose before it, and what became of it."""
    return sharing.shared_custody(database(), adverse_event)


@blueprint.route("/adverse-events/<uuid:adverse_event>/shared-custody/<int:number>")
@allow(*READERS)
@blueprint.arguments(schemas.SharedDosesQuery, location="query")
@blueprint.response(200, page_of(schemas.SharedDosesSchema))
def get_shared_doses(query: dict[str, Any], adverse_event: UUID, number: int) -> Page[SharedDoses]:
    """The doses that shared one of these: given when and to whom, or where they are."""
    return sharing.list_shared_doses(database(), adverse_event, number, **query)
