"""Whether the process lives, and whether it can serve."""

from flask import Blueprint, Response, jsonify
from flask_babel import gettext

from api.auth import open_to_all
from api.context import database, now
from inventory.persistence.migrate import is_current

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@open_to_all
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok", time=now().isoformat())


@blueprint.get("/readyz")
@open_to_all
def readyz() -> tuple[Response, int]:
    """The database can be reached and has the schema of this version."""
    if is_current(database()):
        return jsonify(status="ok"), 200
    return jsonify(status=gettext("the database has not been migrated to this version; run `coldtrail migrate`")), 503
