"""WHO deliveries of cold-chain equipment (PQS E006 DS01) over HTTP."""

from collections.abc import Callable
from typing import Any, NoReturn

from flask import request
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    RequestEntityTooLarge,
    UnprocessableEntity,
    UnsupportedMediaType,
)

from api.auth import allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas import queries
from api.schemas.cold_chain import DeliveredSchema
from inventory.domain.words import Role
from inventory.services import cce_deliveries
from inventory.services.cce_deliveries import Delivered, Delivery, Faulty
from inventory.strict_json import MAX_BYTES, BadPayload

ReadDelivery = Callable[[bytes], Delivery]
"""Reads a body, gzip or not; BadPayload where it is no JSON, Faulty where it breaks the schema of a delivery."""

_PACKED = frozenset({"gzip", "x-gzip"})
_MAGIC = b"\x1f\x8b"
_SHOWN = 500

_BODY = {
    "requestBody": {
        "required": True,
        "description": "A delivery by the schema cce-interop 0.8.1, at most 1,048,576 bytes as it is sent; "
        "gzip once, where Content-Encoding or its first bytes say so",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


def blueprint(read: ReadDelivery) -> Blueprint:
    """The route, with what reads a delivery."""
    routes = Blueprint("cce-deliveries", "cce-deliveries", url_prefix="/api/v1", description="WHO deliveries")

    @routes.route("/cce-deliveries", methods=["POST"])
    @allow(Role.GATEWAY)
    @routes.arguments(queries.DeliveryQuery, location="query")
    @routes.response(200, DeliveredSchema)
    @routes.alt_response(400, description="No JSON, damaged, or packed twice; kept aside")
    @routes.alt_response(404, description="The gateway is not enrolled; the sender should try again later")
    @routes.alt_response(413, description="Longer than 1,048,576 bytes")
    @routes.alt_response(415, description="Packed in another way than gzip")
    @routes.alt_response(422, description="Against the schema, each violation with its path; kept aside")
    @routes.doc(**_BODY)
    def post_delivery(query: dict[str, Any]) -> Delivered:
        """Take in a WHO delivery; duplicates, and readings in any order, are welcome and change nothing.

        Readings of sensors that are not the gateway's, or that no clock can have shown, are kept aside with their
        reason, and the others are stored.
        """
        return _take(read, query["gateway"], _body())

    return routes


def _body() -> bytes:
    """What was sent; of a body that does not say its length, Werkzeug would cut off in silence what is too much."""
    request.max_content_length = MAX_BYTES + 1
    body = request.get_data()
    if len(body) > MAX_BYTES:
        raise RequestEntityTooLarge
    return body


def _take(read: ReadDelivery, gateway: str, body: bytes) -> Delivered:
    cce_deliveries.shard_of(database(), gateway)
    try:
        _require_encoding(body)
        delivery = read(body)
    except BadPayload as error:
        _refuse(gateway, body, error.detail, BadRequest(), {"body": [error.detail]})
    except Faulty as error:
        messages: dict[str, list[str]] = {}
        for fault in error.faults:
            messages.setdefault(fault.path or "body", []).append(fault.message)
        _refuse(gateway, body, str(error), UnprocessableEntity(), messages)
    return cce_deliveries.deliver(database(), gateway, delivery, body, now())


def _require_encoding(body: bytes) -> None:
    """Refuse what is packed otherwise than it says, or in a way that is not read."""
    stated = [each.strip().lower() for each in request.headers.get("Content-Encoding", "").split(",") if each.strip()]
    stated = [each for each in stated if each != "identity"]
    if any(each not in _PACKED for each in stated):
        raise UnsupportedMediaType
    if len(stated) > 1:
        raise BadPayload("payload is gzip in gzip; expected it packed once")
    if stated and not body.startswith(_MAGIC):
        raise BadPayload("payload is no gzip; expected it packed as Content-Encoding says")


def _refuse(gateway: str, body: bytes, detail: str, error: HTTPException, messages: dict[str, list[str]]) -> NoReturn:
    """Keep what was sent, for its sender may not send it again, and tell all that is wrong with it."""
    if body:
        cce_deliveries.keep_refused(database(), gateway, body, detail[:_SHOWN], now())
    error.data = {"messages": {"json": messages}}  # type: ignore[attr-defined]
    raise error
