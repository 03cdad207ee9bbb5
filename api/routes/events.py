"""What happened: events, the doses that were given, and recalls."""

from typing import Any
from uuid import UUID

from api.auth import READERS, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas import events as schemas
from api.schemas.answers import page_of
from api.schemas.queries import AsOfQuery, PageQuery
from inventory.domain.words import EventKind
from inventory.services import events, recall_progress
from inventory.services.as_of import AsOf
from inventory.services.events import EventFilter
from inventory.services.paging import Page

blueprint = Blueprint("events", "events", url_prefix="/api/v1", description="What happened, and what became of it")


@blueprint.route("/events")
@allow(*READERS)
@blueprint.arguments(schemas.EventQuery, location="query")
@blueprint.response(200, page_of(schemas.RecordedEventSchema))
def get_events(query: dict[str, Any]) -> Page[events.Event]:
    """Events of a facility, a batch or a shipment, corrected ones and corrections among them, the newest last."""
    page = {name: query.pop(name) for name in ("after", "limit")}
    return events.list_events(database(), EventFilter(**query), **page)


@blueprint.route("/events/<uuid:event>")
@allow(*READERS)
@blueprint.response(200, schemas.RecordedEventSchema)
def get_event(event: UUID) -> events.Event:
    """One event."""
    return events.get_event(database(), event)


@blueprint.route("/administrations")
@allow(*READERS)
@blueprint.arguments(schemas.AdministrationQuery, location="query")
@blueprint.response(200, page_of(schemas.AdministrationLineSchema))
def get_administrations(query: dict[str, Any]) -> Page[events.Event]:
    """Doses given at a facility or of a batch, the newest last: whom to ask when something was wrong with them."""
    page = {name: query.pop(name) for name in ("after", "limit")}
    return events.list_events(database(), EventFilter(kind=EventKind.ADMINISTER, **query), **page)


@blueprint.route("/recalls")
@allow(*READERS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(schemas.RecallSummarySchema))
def get_recalls(query: dict[str, Any]) -> Page[events.EventSummary]:
    """Recalls, the newest last."""
    return recall_progress.list_recalls(database(), **query)


@blueprint.route("/recalls/<uuid:recall>")
@allow(*READERS)
@blueprint.arguments(AsOfQuery, location="query")
@blueprint.response(200, schemas.RecallProgressSchema)
def get_recall(query: dict[str, Any], recall: UUID) -> recall_progress.RecallProgress:
    """How far a recall has come, or had come at an instant."""
    return recall_progress.get_recall(database(), recall, AsOf.asked(**query, now=now()))


@blueprint.route("/recalls/<uuid:recall>/administrations")
@allow(*READERS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(schemas.AdministrationLineSchema))
def get_recall_administrations(query: dict[str, Any], recall: UUID) -> Page[events.Event]:
    """The doses of a recalled batch that were given, to be followed up."""
    return recall_progress.list_given(database(), recall, **query)
