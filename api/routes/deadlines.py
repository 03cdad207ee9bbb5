"""By when doses must go, what is to be expected of them, and what could be done about it."""

from datetime import timedelta
from typing import Any

from api.auth import READERS, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas import deadlines as schemas
from api.schemas.answers import page_of
from inventory.services import board, redistribution
from inventory.services.paging import Page

blueprint = Blueprint(
    "deadlines", "deadlines", url_prefix="/api/v1", description="By when doses must go, and what could be done"
)


@blueprint.route("/deadlines")
@allow(*READERS)
@blueprint.arguments(schemas.DeadlineQuery, location="query")
@blueprint.response(200, page_of(schemas.DeadlineLineSchema))
def get_deadlines(query: dict[str, Any]) -> Page[board.DeadlineLine]:
    """The countdown board, most urgent first."""
    wanted = query.pop("status")
    return board.list_deadlines(database(), wanted=wanted, now=now(), **query)


@blueprint.route("/redistributions")
@allow(*READERS)
@blueprint.arguments(schemas.RedistributionQuery, location="query")
@blueprint.response(200, schemas.RedistributionSchema)
def get_redistributions(query: dict[str, Any]) -> redistribution.Redistribution:
    """Which sites of a store could take what will be late at others, as orders for dispatches."""
    handling = timedelta(minutes=query["handling_minutes"])
    return redistribution.propose(database(), query["facility"], handling, now())
