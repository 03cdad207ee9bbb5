"""Packs: a maker's association file, and where a pack is."""

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from api.auth import READERS, WRITERS, actor, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas import pack_views as schemas
from inventory.services import pack_documents, pack_files, pack_views
from inventory.services.pack_files import Announced
from inventory.services.pack_views import PackView

blueprint = Blueprint("packs", "packs", url_prefix="/api/v1", description="Coded units, and which is in which")

_BODY = {
    "requestBody": {
        "required": True,
        "description": "A batch and its packs, each with the one that it is in; `doses` where a pack that holds "
        "no other is not one vial. As CSV: a row of names (gtin, batch, expiry, code, parent, doses), then the packs",
        "content": {
            "application/json": {"schema": schemas.PackFileSchema},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


@blueprint.route("/pack-files", methods=["POST"])
@allow(*WRITERS)
@blueprint.response(200, schemas.AnnouncedSchema)
@blueprint.alt_response(413, description="Longer than 33,554,432 bytes")
@blueprint.alt_response(422, description="No association file, or `errors` with each line that cannot be")
@blueprint.doc(**_BODY)
def post_pack_file() -> Announced:
    """Announce the packs of a maker's association file, all or none; to send it again changes nothing."""
    request.max_content_length = pack_documents.MAX_BYTES + 1
    body = request.get_data()
    if len(body) > pack_documents.MAX_BYTES:
        raise RequestEntityTooLarge
    file = pack_documents.read(body, is_csv=request.mimetype == "text/csv")
    return pack_files.announce_packs(database(), actor(), file, now())


@blueprint.route("/packs/<batch:code>")
@allow(*READERS)
@blueprint.response(200, schemas.PackSchema)
def get_pack(code: str) -> PackView:
    """Where a pack is, and what is left of it; a code may hold a slash, and may be anything that a scanner gives."""
    return pack_views.get_pack(database(), code)
