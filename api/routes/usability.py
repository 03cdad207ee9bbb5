"""The check before use, and a supervisor's override."""

from typing import Any

from api.auth import READERS, actor, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas import usability as schemas
from api.schemas.ledger import KeySchema
from api.schemas.posted import PostedSchema
from inventory.domain.handling import HANDLING
from inventory.domain.reasons import ReasonCode
from inventory.domain.words import EventKind
from inventory.services import usability
from inventory.services.posting import Posted, Request

blueprint = Blueprint("usability", "usability", url_prefix="/api/v1", description="Whether doses may be given")


@blueprint.route("/batches/<gtin>/<batch:batch>/usability")
@allow(*READERS)
@blueprint.arguments(schemas.UsabilityQuery, location="query")
@blueprint.response(200, schemas.UsabilitySchema)
def get_batch_usability(query: dict[str, Any], gtin: str, batch: str) -> usability.Usability:
    """Whether the dose that would be picked there may be given."""
    return usability.batch_usability(database(), gtin, batch, usability.UsabilityQuery(**query), now())


@blueprint.route("/packs/<batch:code>/usability")
@allow(*READERS)
@blueprint.arguments(schemas.UsabilityQuery, location="query")
@blueprint.response(200, schemas.UsabilitySchema)
def get_pack_usability(query: dict[str, Any], code: str) -> usability.Usability:
    """Whether a dose out of a pack may be given there."""
    return usability.pack_usability(database(), code, usability.UsabilityQuery(**query), now())


@blueprint.route("/overrides", methods=["POST"])
@allow(*HANDLING[EventKind.OVERRIDE].roles)
@blueprint.arguments(KeySchema, location="headers")
@blueprint.arguments(schemas.OverrideSchema)
@blueprint.response(201, PostedSchema)
def post_override(headers: dict[str, str], order: dict[str, Any]) -> Posted:
    """Answer for exposed or overdue doses of a batch, at a facility and at those below it."""
    covers = tuple(sorted({ReasonCode(each) for each in order.pop("covers")}))
    stated = usability.OverrideOrder(covers=covers, **order)
    return usability.override(database(), Request(actor(), now(), headers["key"]), stated)
