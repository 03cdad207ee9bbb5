"""Questions asked of the cold chain: readings and excursions, what devices say, and what is missing."""

from typing import Any
from uuid import UUID

from flask import Response

from api.auth import READERS, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas import answers, queries
from api.schemas import cold_chain as schemas
from inventory.services import (
    alarm_disagreements,
    device_alarms,
    evidence,
    excursions,
    gateways,
    impact,
    kept_aside,
    series,
)
from inventory.services.paging import Page

blueprint = Blueprint("cold-chain", "cold-chain", url_prefix="/api/v1", description="What the sensors saw")

_BINARY = "application/octet-stream"
_AS_IT_CAME = {"responses": {200: {"content": {_BINARY: {"schema": {"type": "string", "format": "binary"}}}}}}


@blueprint.route("/excursions")
@allow(*READERS)
@blueprint.arguments(queries.ExcursionQuery, location="query")
@blueprint.response(200, answers.page_of(answers.ExcursionSchema))
def get_excursions(query: dict[str, Any]) -> Page[evidence.ExcursionSummary]:
    """Excursions and silences."""
    standing = not query.pop("cancelled")
    return excursions.list_excursions(database(), standing=standing, **query)


@blueprint.route("/excursions/<uuid:excursion>")
@allow(*READERS)
@blueprint.response(200, answers.ExcursionSchema)
def get_excursion(excursion: UUID) -> evidence.ExcursionSummary:
    """One excursion."""
    return excursions.get_excursion(database(), excursion)


@blueprint.route("/excursions/<uuid:excursion>/impact")
@allow(*READERS)
@blueprint.response(200, answers.ImpactSchema)
def get_impact(excursion: UUID) -> impact.Impact:
    """The doses that were there, and what became of each."""
    return impact.excursion_impact(database(), excursion)


@blueprint.route("/excursions/<uuid:excursion>/impact/administrations")
@allow(*READERS)
@blueprint.arguments(queries.PageQuery, location="query")
@blueprint.response(200, answers.page_of(answers.GivenSchema))
def get_impact_administrations(query: dict[str, Any], excursion: UUID) -> Page[impact.Given]:
    """The doses that were there and were given since, to be followed up."""
    return impact.list_given(database(), excursion, **query)


@blueprint.route("/excursions/<uuid:excursion>/versions")
@allow(*READERS)
@blueprint.response(200, schemas.ExcursionVersionsSchema)
def get_versions(excursion: UUID) -> dict[str, Any]:
    """How the verdict on an excursion became what it is: readings may come late, and change it."""
    return {"items": excursions.list_versions(database(), excursion)}


@blueprint.route("/sensors/<serial>/readings")
@allow(*READERS)
@blueprint.arguments(queries.ReadingQuery, location="query")
@blueprint.response(200, schemas.SeriesSchema)
def get_readings(query: dict[str, Any], serial: str) -> series.Series:
    """A sensor's readings, or hours or days made of them: at most 2,000 at a time, whatever the span."""
    return series.read_series(database(), serial, series.Asked(**query), now())


@blueprint.route("/reading-conflicts")
@allow(*READERS)
@blueprint.arguments(queries.ConflictQuery, location="query")
@blueprint.response(200, answers.page_of(schemas.ConflictSchema))
def get_conflicts(query: dict[str, Any]) -> Page[kept_aside.ConflictLine]:
    """Values that contradict a stored one, with the one that stands: the first that came."""
    return kept_aside.list_conflicts(database(), **query)


@blueprint.route("/rejected-messages")
@allow(*READERS)
@blueprint.arguments(queries.RejectedQuery, location="query")
@blueprint.response(200, answers.page_of(schemas.RejectedSchema))
def get_rejected(query: dict[str, Any]) -> Page[kept_aside.RejectedLine]:
    """Messages that were kept aside, with the reason."""
    return kept_aside.list_rejected(database(), **query)


@blueprint.route("/rejected-messages/summary")
@allow(*READERS)
@blueprint.response(200, schemas.RejectedSummarySchema)
def get_rejected_summary() -> dict[str, Any]:
    """How much was kept aside, and why."""
    return {"items": kept_aside.count_rejected(database())}


@blueprint.route("/rejected-messages/<uuid:message>/payload")
@allow(*READERS)
@blueprint.response(200, content_type=_BINARY)
@blueprint.doc(**_AS_IT_CAME)
def get_rejected_payload(message: UUID) -> Response:
    """All of a message that was kept aside, byte by byte as it came."""
    payload = kept_aside.rejected_payload(database(), message)
    attached = f'attachment; filename="rejected-{message}"'
    return Response(payload, content_type=_BINARY, headers={"Content-Disposition": attached})


@blueprint.route("/device-alarms")
@allow(*READERS)
@blueprint.arguments(queries.DeviceAlarmQuery, location="query")
@blueprint.response(200, answers.page_of(schemas.EpisodeSchema))
def get_device_alarms(query: dict[str, Any]) -> Page[device_alarms.Episode]:
    """What devices said of their own alarms, in episodes; excursions do not come of it."""
    page = {name: query.pop(name) for name in ("after", "limit")}
    return device_alarms.list_episodes(database(), device_alarms.Asked(**query), **page)


@blueprint.route("/alarm-disagreements")
@allow(*READERS)
@blueprint.arguments(queries.DeviceAlarmQuery, location="query")
@blueprint.response(200, answers.page_of(schemas.DisagreementSchema))
def get_disagreements(query: dict[str, Any]) -> Page[alarm_disagreements.Difference]:
    """Alarms of devices without an excursion of that side, and excursions of which an alarming device said nothing.

    Of excursions only those of limits that devices judge by too: HEAT and FRZE, and a logger's own.
    """
    page = {name: query.pop(name) for name in ("after", "limit")}
    return alarm_disagreements.list_differences(database(), device_alarms.Asked(**query), **page)


@blueprint.route("/gateways/<gateway>/streams")
@allow(*READERS)
@blueprint.arguments(queries.PageQuery, location="query")
@blueprint.response(200, answers.page_of(schemas.StreamSchema))
def get_streams(query: dict[str, Any], gateway: str) -> Page[gateways.StreamView]:
    """How far the numbered messages of each boot of a gateway have come, and which are missing."""
    return gateways.list_streams(database(), gateway, **query)
