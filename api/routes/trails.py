"""Trails: a batch to everywhere it went, a dose and a pack back to where they came from."""

from typing import Any
from uuid import UUID

from api.auth import READERS, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas import trails as schemas
from inventory.services import trails
from inventory.services.as_of import AsOf

blueprint = Blueprint("trails", "trails", url_prefix="/api/v1", description="How doses came to be where they are")


@blueprint.route("/batches/<gtin>/<batch:batch>/trail")
@allow(*READERS)
@blueprint.arguments(schemas.TreeQuery, location="query")
@blueprint.response(200, schemas.BatchTrailSchema)
def get_batch_trail(query: dict[str, Any], gtin: str, batch: str) -> trails.BatchTrail:
    """Everywhere that a batch went, and what was seen of it there; a batch number may hold a slash."""
    as_of = AsOf.asked(query.pop("at"), query.pop("known_at"), now())
    return trails.batch_trail(database(), gtin, batch, now(), trails.Branches(**query, as_of=as_of))


@blueprint.route("/packs/<batch:code>/trail")
@allow(*READERS)
@blueprint.response(200, schemas.PackTrailSchema)
def get_pack_trail(code: str) -> trails.PackTrail:
    """The way of a pack back to the warehouse, by whatever a scanner gives."""
    return trails.pack_trail(database(), code, now())


@blueprint.route("/administrations/<uuid:administration>/trail")
@allow(*READERS)
@blueprint.response(200, schemas.DoseTrailSchema)
def get_administration_trail(administration: UUID) -> trails.DoseTrail:
    """The way of given doses back to the warehouse, with what was seen of each place."""
    return trails.administration_trail(database(), administration)
