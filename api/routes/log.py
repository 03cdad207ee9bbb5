"""The log: its newest checkpoint, and proofs."""

from typing import Any

from flask import Response

from api.auth import READERS, allow
from api.blueprint import Blueprint
from api.context import database
from api.schemas import log as schemas
from inventory.services.log import checkpoints, proofs

_TEXT = "text/plain"

blueprint = Blueprint("log", "log", url_prefix="/api/v1/log", description="That nobody has changed what was recorded")


@blueprint.route("/checkpoint")
@allow(*READERS)
@blueprint.response(200, content_type=_TEXT, description="A C2SP signed note")
@blueprint.doc(responses={200: {"content": {_TEXT: {"schema": {"type": "string"}}}}})
def get_checkpoint() -> Response:
    """The newest checkpoint, signed: origin, leaves, root and time."""
    return Response(checkpoints.newest_note(database()), mimetype=_TEXT)


@blueprint.route("/inclusion")
@allow(*READERS)
@blueprint.arguments(schemas.InclusionQuery, location="query")
@blueprint.response(200, schemas.InclusionSchema)
def get_inclusion(query: dict[str, Any]) -> proofs.Inclusion:
    """Proof that an event, a version of an excursion or a statement is in the log of the newest checkpoint."""
    fact = query["event"] or query["excursion"] or query["adverse_event"]
    return proofs.prove_inclusion(database(), fact, query["version"] or 0)


@blueprint.route("/consistency")
@allow(*READERS)
@blueprint.arguments(schemas.ConsistencyQuery, location="query")
@blueprint.response(200, schemas.ConsistencySchema)
def get_consistency(query: dict[str, Any]) -> proofs.Consistency:
    """Proof that a log of more leaves begins with that of fewer."""
    return proofs.prove_consistency(database(), **query)
