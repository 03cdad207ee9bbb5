"""Errors as RFC 9457 problems, in the reader's language; the one place where they get their HTTP status."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Response, current_app, json, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException

from inventory.domain import errors
from inventory.domain.errors import N_, Code, ColdtrailError
from inventory.domain.packs import BadLines
from inventory.services.posting import Fault

CONTENT_TYPE = "application/problem+json"

STATUS: dict[type[ColdtrailError], HTTPStatus] = {
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

TITLES: dict[Code, str] = {
    Code.MALFORMED: N_("The request is not well formed"),
    Code.UNAUTHENTICATED: N_("A valid token is needed"),
    Code.FORBIDDEN: N_("Your role may not do this"),
    Code.NOT_YOUR_FACILITY: N_("You may not write for this facility"),
    Code.NOT_FOUND: N_("There is no such thing"),
    Code.UNKNOWN_PRODUCT: N_("The product is not registered"),
    Code.UNKNOWN_BATCH: N_("The batch was never received"),
    Code.ALREADY_EXISTS: N_("It exists already"),
    Code.NAIVE_TIME: N_("A time without an offset"),
    Code.TIME_IN_FUTURE: N_("A time in the future"),
    Code.TIME_TOO_OLD: N_("A time that no clock showed"),
    Code.TIME_BEFORE_CUSTODY: N_("The doses were not there yet"),
    Code.TIME_BEFORE_COUNT: N_("A later count stands"),
    Code.TIME_BEFORE_SHIPMENT: N_("The shipment was not that far yet"),
    Code.TIME_BEFORE_CAUSE: N_("Before what it follows from"),
    Code.WRONG_CHECK_DIGIT: N_("A wrong check digit"),
    Code.NOT_WHOLE_VIALS: N_("Not a whole number of vials"),
    Code.NOT_ENOUGH_DOSES: N_("There are not as many doses"),
    Code.BATCH_EXPIRED: N_("The batch has expired"),
    Code.BATCH_EXPIRY_DIFFERS: N_("The batch is known with another expiry"),
    Code.WRONG_FACILITY_KIND: N_("The wrong kind of facility for this"),
    Code.WRONG_APPLIANCE: N_("The appliance stands elsewhere"),
    Code.WRONG_CUSTODY: N_("The custody is not there"),
    Code.WRONG_LOCATION: N_("Doses there cannot be taken for this"),
    Code.WRONG_SUPPLIER: N_("Not a facility of the same line of supply"),
    Code.SAME_APPLIANCE: N_("The doses are there already"),
    Code.NO_TEMPERATURE_RECORD: N_("Goods without a temperature record must not be received"),
    Code.TEMPERATURE_OUT_OF_RANGE: N_("Goods out of their temperature range must not be received"),
    Code.PAPERS_INCOMPLETE: N_("The papers are not complete"),
    Code.BATCH_RECALLED: N_("The batch is recalled"),
    Code.ORIGIN_UNKNOWN: N_("Nobody knows where the doses come from"),
    Code.VIAL_NOT_MULTI_DOSE: N_("A vial of one dose is not opened for several"),
    Code.PACK_ELSEWHERE: N_("The pack is not there"),
    Code.PACK_OPENED: N_("The pack was opened"),
    Code.PACK_DIFFERS: N_("The label says something else than the book"),
    Code.NOT_USABLE: N_("The doses may not be given"),
    Code.NAMED_PERSON: N_("A person may not be named here"),
    Code.NO_SHORTFALL: N_("Nothing is missing from the shipment"),
    Code.ALREADY_REVERSED: N_("The event was corrected already"),
    Code.NOT_REVERSIBLE: N_("The event cannot be corrected"),
    Code.CUSTODY_TOUCHED: N_("Later events stand on this one"),
    Code.REPEATED_LINE: N_("The same batch on two lines"),
    Code.SENSOR_IN_USE: N_("The sensor watches another place"),
    Code.MONTH_MISSING: N_("There is no place for the readings of that month"),
    Code.ARCHIVE_DIFFERS: N_("The archive and the database differ"),
    Code.LOG_DIFFERS: N_("The log is not what was signed"),
    Code.KEY_REUSED: N_("The Idempotency-Key was used for another request"),
    Code.BUSY: N_("Too many writers at this moment"),
    Code.DATABASE_AWAY: N_("The database cannot be reached now"),
}


HTTP_FAULTS = {
    HTTPStatus.BAD_REQUEST: ("malformed", TITLES[Code.MALFORMED], N_("What was sent is no HTTP that can be read.")),
    HTTPStatus.NOT_FOUND: (
        "not_found",
        TITLES[Code.NOT_FOUND],
        N_("Nothing has this address; where it holds an id, that may have another form."),
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "method_not_allowed",
        N_("The address is not asked so"),
        N_("The Allow header names the methods of this address."),
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "too_large",
        N_("The request is too large"),
        N_("The body is larger than this address takes."),
    ),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "unsupported_media_type",
        N_("The body is of another kind"),
        N_("The body is said to be of a kind, or packed in a way, that is not taken here; application/json is."),
    ),
}
"""Code, title and detail of what is refused before any of our rules is asked."""

SCHEMA_MESSAGES = (
    N_("Missing data for required field."),
    N_("Field may not be null."),
    N_("Unknown field."),
    N_("Invalid input type."),
    N_("Not a valid string."),
    N_("Not a valid integer."),
    N_("Not a valid boolean."),
    N_("Not a valid date."),
    N_("Not a valid UUID."),
    N_("Not a valid list."),
    N_("Invalid type."),
    N_("String does not match expected pattern."),
    N_("Expected an ISO 8601 time with an offset, such as 2026-01-05T08:30:00+08:00."),
    N_("Expected a temperature in degrees Celsius, such as 4.5."),
    N_("Expected text without control characters."),
    N_("Expected one of event, excursion with version, and adverse_event."),
)
"""What marshmallow and our fields say, so that it can be translated."""

FILLED_MESSAGES = (
    N_("payload is not JSON from character %(place)s on"),
    N_("payload is not UTF-8 at byte %(place)s"),
    N_("payload is nested too deeply"),
    N_("key %(key)s is repeated; expected it once"),
    N_("text %(text)s holds NUL or half a surrogate pair"),
    N_("number %(number)s is longer than %(most)s characters"),
    N_("%(name)s is no JSON number"),
    N_("Must be one of: %(choices)s."),
    N_("Must be greater than or equal to %(least)s and less than or equal to %(most)s."),
    N_("Must be greater than or equal to %(least)s."),
    N_("Length must be between %(least)s and %(most)s."),
)
"""What these and the reader of JSON say with places that they have filled before anybody can translate it."""

_FILLED = {each: re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(each))) for each in FILLED_MESSAGES}


def from_domain(error: ColdtrailError) -> Response:
    """A problem from an error of the domain: what was wrong, its value and what was expected."""
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, errors.Unauthenticated) else {}
    if isinstance(error, errors.Unavailable):
        headers["Retry-After"] = "1"
    return _problem(STATUS[type(error)], _described(error), headers)


def from_lines(error: BadLines) -> Response:
    """A problem from lines of a file that cannot be: the first of them, and in `errors` each with its number."""
    told = [{"line": number, **_described(fault)} for number, fault in error.faults]
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, {**_described(error), "errors": told}, {})


def from_fault(fault: Fault) -> dict[str, Any]:
    """The problem of one line of a list."""
    kind = next(each for each in STATUS if each.__name__ == fault.kind)
    return _whole(STATUS[kind], _described(kind(fault.code, fault.field, fault.value, fault.expected, **fault.facts)))


def _described(error: ColdtrailError) -> dict[str, Any]:
    expected = gettext(error.expected)
    if error.facts:
        expected %= error.facts
    detail = gettext("%(field)s is %(value)s; expected %(expected)s")
    return {
        "code": error.code.value,
        "title": gettext(TITLES[error.code]),
        "detail": detail % {"field": error.field, "value": error.value, "expected": expected},
        "field": error.field,
        "value": _shown(error.value),
        "expected": expected,
    }


def from_http(error: HTTPException) -> Response:
    """A problem from an HTTP error: a request that its schema refused, an unknown address, a wrong method."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    messages = getattr(error, "data", {}).get("messages")
    if messages is None:
        code, title, detail = HTTP_FAULTS.get(status, (f"http_{status}", status.phrase, str(error.description)))
        headers = {name: value for name, value in error.get_headers() if name == "Allow"}
        return _problem(status, {"code": code, "title": gettext(title), "detail": gettext(detail)}, headers)
    return _problem(status, _malformed(_located(messages)), {})


def from_schema(messages: Any) -> dict[str, Any]:
    """The problem of one line of a list that its schema refused."""
    return _whole(HTTPStatus.UNPROCESSABLE_ENTITY, _malformed(_flat(messages)))


def _malformed(found: Iterator[tuple[str, str]]) -> dict[str, Any]:
    faults = [{"field": field, "expected": text} for field, text in found]
    detail = "; ".join(f"{fault['field']}: {fault['expected']}" for fault in faults)
    body = {"code": Code.MALFORMED.value, "title": gettext(TITLES[Code.MALFORMED]), "detail": detail}
    return {**body, "field": faults[0]["field"], "errors": faults}


def unexpected(error: Exception) -> Response:
    """A fault of ours: logged whole, told without its insides."""
    current_app.logger.error("unexpected error at %s %s", request.method, request.path, exc_info=error)
    body = {"code": "internal_error", "title": gettext("Something went wrong on our side")}
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, body, {})


def _problem(status: HTTPStatus, body: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(json.dumps(_whole(status, body)), status, headers, content_type=CONTENT_TYPE)


def _whole(status: HTTPStatus, body: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"urn:coldtrail:problem:{body['code']}", "status": status.value, **body}


def _shown(value: object) -> str | int | None:
    return value if value is None or isinstance(value, str | int) else str(value)


def _located(messages: Any) -> Iterator[tuple[str, str]]:
    """As `_flat`, without the outer layer, which names where the fields came from."""
    outer = isinstance(messages, dict) and set(messages) <= {"json", "query", "headers", "path"}
    for inner in messages.values() if outer else [messages]:
        yield from _flat(inner)


def _flat(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each field's path and message out of marshmallow's nested ones."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    else:
        for text in messages if isinstance(messages, list) else [messages]:
            yield path or "body", _translated(str(text))


def _translated(text: str) -> str:
    for message, pattern in _FILLED.items():
        if filled := pattern.fullmatch(text):
            return str(gettext(message)) % filled.groupdict()
    return str(gettext(text))
