"""How the rule is kept: the compliance table and the bulletin, as JSON and as CSV."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from api import spreadsheets
from api.auth import READERS, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas import compliance as schemas
from inventory.domain.errors import N_
from inventory.domain.words import WasteReason
from inventory.services import bulletins, compliance

blueprint = Blueprint("compliance", "compliance", url_prefix="/api/v1", description="Whether the 24-hour rule is kept")

_AS_CSV = {"responses": {200: {"content": {spreadsheets.CONTENT_TYPE: {"schema": {"type": "string"}}}}}}

_TABLE = {
    "facility": N_("Facility"),
    "name": N_("Name"),
    "day": N_("Day"),
    "received": N_("Received"),
    "found": N_("Found"),
    "delivered_in_time": N_("Delivered in time"),
    "delivered_late": N_("Delivered late"),
    "delivered_late_minutes_max": N_("Delivered late, minutes at most"),
    "delivered_late_minutes_mean": N_("Delivered late, minutes on average"),
    "dispatched": N_("Dispatched"),
    "forwarded_in_time": N_("Forwarded in time"),
    "forwarded_late": N_("Forwarded late"),
    "forwarded_late_minutes_max": N_("Forwarded late, minutes at most"),
    "forwarded_late_minutes_mean": N_("Forwarded late, minutes on average"),
    "administered": N_("Administered"),
    "used_in_time": N_("Used in time"),
    "used_late": N_("Used late"),
    "used_late_minutes_max": N_("Used late, minutes at most"),
    "used_late_minutes_mean": N_("Used late, minutes on average"),
    "transferred": N_("Transferred"),
    "returned": N_("Returned"),
    "wasted": N_("Wasted"),
    WasteReason.BROKEN: N_("Wasted: broken"),
    WasteReason.OPENED_NOT_USED: N_("Wasted: opened and not used"),
    WasteReason.EXPIRED: N_("Wasted: expired"),
    WasteReason.HEAT: N_("Wasted: heat"),
    WasteReason.FROZEN: N_("Wasted: frozen"),
    WasteReason.LOST: N_("Wasted: lost"),
    WasteReason.OTHER: N_("Wasted: other reasons"),
    "missing": N_("Missing"),
    "left_late": N_("Left late without use"),
    "left_late_minutes_max": N_("Left late without use, minutes at most"),
    "left_late_minutes_mean": N_("Left late without use, minutes on average"),
    "unexplained": N_("Unexplained"),
}

_BULLETIN = {
    "rank": N_("Rank"),
    "facility": N_("Facility"),
    "name": N_("Name"),
    "day": N_("Day"),
    "used": N_("Doses used"),
    "opening": N_("Opening stock"),
    "received": N_("Received"),
    "available": N_("Available"),
    "completion": N_("Completion"),
    "daily_capacity": N_("Daily capacity"),
    "capacity_used": N_("Capacity used"),
    "at_risk": N_("Doses at risk"),
    "overdue": N_("Doses overdue"),
    "used_late": N_("Used late"),
    "delivered_late": N_("Delivered late"),
    "wasted": N_("Wasted"),
    "sent": N_("Handed on or returned"),
    "found": N_("Found"),
    "missing": N_("Missing"),
    "held": N_("Closing stock"),
}


@blueprint.route("/compliance")
@allow(*READERS)
@blueprint.arguments(schemas.ComplianceQuery, location="query")
@blueprint.response(200, schemas.ComplianceSchema)
@blueprint.doc(**_AS_CSV)
def get_compliance(query: dict[str, Any]) -> compliance.ComplianceReport | Response:
    """What became of doses, and whether in time, by facility and civil day."""
    as_csv = spreadsheets.is_wanted(query.pop("format"))
    report = compliance.report(database(), now=now(), **query)
    if not as_csv:
        return report
    rows = [_flat(row) for row in schemas.ComplianceLineSchema(many=True).dump(report.items)]
    return spreadsheets.answer(f"compliance-{report.first}-{report.last}", _TABLE, rows)


@blueprint.route("/bulletins")
@allow(*READERS)
@blueprint.arguments(schemas.BulletinQuery, location="query")
@blueprint.response(200, schemas.BulletinSchema)
@blueprint.doc(**_AS_CSV)
def get_bulletin(query: dict[str, Any]) -> bulletins.Bulletin | Response:
    """A store's sites, ranked by the doses they have used today."""
    as_csv = spreadsheets.is_wanted(query.pop("format"))
    bulletin = bulletins.bulletin(database(), now=now(), **query)
    if not as_csv:
        return bulletin
    rows = schemas.BulletinLineSchema(many=True).dump(bulletin.items)
    return spreadsheets.answer(f"bulletin-{bulletin.facility}-{bulletin.at:%Y%m%dT%H%MZ}", _BULLETIN, rows)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line with a column for each reason why doses are wasted."""
    return {**dict.fromkeys(WasteReason, 0), **row["wasted_by_reason"], **row}
