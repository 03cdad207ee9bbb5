"""The API's documentation as a page, from our own origin."""

from flask import Blueprint, Response, send_from_directory
from swagger_ui_bundle import swagger_ui_path

from api.auth import open_to_all

blueprint = Blueprint("documentation", __name__, url_prefix="/api/docs")

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Coldtrail API</title><link rel="stylesheet" href="/api/docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script><script src="/api/docs/start.js"></script></body>
</html>
"""

START = 'window.ui = SwaggerUIBundle({url: "/api/v1/openapi.json", dom_id: "#swagger-ui", deepLinking: true});\n'


@blueprint.get("")
@open_to_all
def page() -> Response:
    """The page."""
    return Response(PAGE, mimetype="text/html")


@blueprint.get("/start.js")
@open_to_all
def start() -> Response:
    """What starts it; a file of its own, for no script may stand in a page."""
    return Response(START, mimetype="text/javascript")


@blueprint.get("/<path:name>")
@open_to_all
def asset(name: str) -> Response:
    """A part of Swagger UI."""
    return send_from_directory(swagger_ui_path, name)
