"""EPCIS 2.0: the ledger as others read it, and what they tell of goods."""

import json
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from api.auth import READERS, WRITERS, actor, allow
from api.blueprint import Blueprint, StrictParser
from api.context import database, now
from api.problems import from_fault
from api.schemas import epcis as schemas
from api.schemas.answers import page_of
from inventory.domain.epcis.documents import CONTENT_TYPE, document
from inventory.services.epcis import announcements, history
from inventory.services.epcis.announcements import CapturedView
from inventory.services.epcis.capturing import Captured, capture
from inventory.services.epcis.history import Span
from inventory.services.paging import Page
from inventory.services.posting import Request

blueprint = Blueprint("epcis", "epcis", url_prefix="/api/v1/epcis", description="EPCIS 2.0 (GS1)")

_DOCUMENT = {
    "responses": {
        "200": {
            "description": "An EPCISDocument; where there is more, `coldtrail:next` and the Link of rel=next say so",
            "content": {CONTENT_TYPE: {"schema": {"type": "object"}}},
        }
    }
}

_BODY = {
    "requestBody": {
        "required": True,
        "description": "An EPCISDocument of at most 500 events; its shipping and receiving events are taken in",
        "content": {CONTENT_TYPE: {"schema": {"type": "object"}}},
    }
}


@blueprint.route("/events")
@allow(*READERS)
@blueprint.arguments(schemas.EpcisQuery, location="query")
@blueprint.response(200)
@blueprint.doc(**_DOCUMENT)
def get_epcis_events(query: dict[str, Any]) -> Response:
    """What happened to a batch, on a shipment or in a span, as EPCIS events, page by page, the newest last."""
    page = {name: query.pop(name) for name in ("after", "limit")}
    found = history.list_epcis(database(), Span(**query), **page)
    more = {} if found.next is None else {"coldtrail:next": found.next}
    told = document(list(found.items), now(), **more)
    response = Response(json.dumps(told, ensure_ascii=False), content_type=CONTENT_TYPE)
    if found.next is not None:
        response.headers["Link"] = f'<{_next(found.next)}>; rel="next"'
    return response


def _next(after: str) -> str:
    asked = request.args.to_dict() | {"after": after}
    return f"{request.path}?{urlencode(asked)}"


@blueprint.route("/capture", methods=["POST"])
@allow(*WRITERS)
@blueprint.response(200, schemas.CaptureResultsSchema)
@blueprint.doc(**_BODY)
def post_epcis_capture() -> dict[str, Any]:
    """Take shipping and receiving events in, each once by its id, however often it is sent.

    What a supplier ships is announced; what a facility here ships or receives is posted as its dispatch, return or
    receipt, by the same rules; what its sender declares an error is corrected. No Idempotency-Key is asked for.
    """
    sent = StrictParser().load_json(request, None)
    return {"results": [_result(each) for each in capture(database(), Request(actor(), now(), ""), sent)]}


def _result(captured: Captured) -> dict[str, Any]:
    return vars(captured) | {"problem": None if captured.fault is None else from_fault(captured.fault)}


@blueprint.route("/captured")
@allow(*READERS)
@blueprint.arguments(schemas.CapturedQuery, location="query")
@blueprint.response(200, page_of(schemas.CapturedEventSchema))
def get_captured(query: dict[str, Any]) -> Page[CapturedView]:
    """Events that were taken in, the newest last; with `state=announced`, deliveries that are on their way."""
    return announcements.list_captured(database(), **query)
