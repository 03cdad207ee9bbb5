"""The Flask application."""

from inspect import cleandoc
from operator import itemgetter
from typing import cast

from flask import Flask, Response, request
from flask.json.provider import DefaultJSONProvider
from flask_babel import Babel
from flask_smorest import Api
from werkzeug.exceptions import HTTPException, NotFound

from api import problems
from api.blueprint import BatchNumber
from api.context import EXTENSION
from api.routes import (
    adverse_events,
    bills,
    cce_deliveries,
    cold_chain,
    compliance,
    deadlines,
    documentation,
    epcis,
    events,
    health,
    ledger,
    log,
    notices,
    packs,
    pages,
    questions,
    registry,
    trails,
    usability,
)
from api.routes.cce_deliveries import ReadDelivery
from api.schemas.fields import Celsius, Instant, Minutes, Seconds
from api.schemas.problems import ProblemSchema
from inventory.clock import Clock, system_clock
from inventory.domain.errors import ColdtrailError
from inventory.domain.packs import BadLines
from inventory.persistence.database import Database

LANGUAGES = {"en": "en", "zh": "zh_Hans_CN", "*": "en"}
"""The catalogue of each language, in whatever country or script, and of any; Babel knows zh_CN by its full name."""

BLUEPRINTS = (
    *registry.BLUEPRINTS,
    events.blueprint,
    adverse_events.blueprint,
    bills.blueprint,
    ledger.blueprint,
    epcis.blueprint,
    *questions.BLUEPRINTS,
    trails.blueprint,
    cold_chain.blueprint,
    deadlines.blueprint,
    notices.blueprint,
    compliance.blueprint,
    usability.blueprint,
    packs.blueprint,
    log.blueprint,
)
"""The parts of the API that are always there."""

HEADERS = {
    "Vary": "Accept-Language",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "base-uri 'none'; frame-ancestors 'none'",
}


class ProblemApi(Api):  # type: ignore[misc]
    """flask-smorest, with every error told as a problem, and its documentation saying so."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_RESPONSE_CONTENT_TYPE = "application/json"

    def _register_responses(self) -> None:
        answers, self.DEFAULT_RESPONSE_CONTENT_TYPE = self.DEFAULT_RESPONSE_CONTENT_TYPE, problems.CONTENT_TYPE
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = answers

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Errors that flask-smorest and Flask raise."""
        return problems.from_http(error)


def create_app(database: Database, clock: Clock = system_clock, read_delivery: ReadDelivery | None = None) -> Flask:
    """The application over a database that is migrated; `clock` gives the time that events are held against.

    Where there is something that reads WHO deliveries, they are taken in.
    """
    app = Flask("api", static_folder=None)
    provider = cast(DefaultJSONProvider, app.json)
    provider.sort_keys = False  # an answer keeps the order it is written in
    provider.ensure_ascii = False
    app.config.update(
        API_TITLE="Coldtrail",
        API_VERSION="v1",
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
        MAX_CONTENT_LENGTH=1 << 20,
        BABEL_DEFAULT_LOCALE="en",
    )
    app.url_map.merge_slashes = False
    app.url_map.converters["batch"] = BatchNumber
    app.extensions[EXTENSION] = {"database": database, "clock": clock}
    Babel(app, locale_selector=_language)
    api = ProblemApi(app)
    api.register_converter(BatchNumber, lambda _: {"type": "string"})
    api.register_field(Instant, "string", "date-time")
    for number in (Celsius, Minutes, Seconds):
        api.register_field(number, "number", None)
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    api.spec.options["security"] = [{"token": []}]
    for blueprint in [*BLUEPRINTS, *([] if read_delivery is None else [cce_deliveries.blueprint(read_delivery)])]:
        api.register_blueprint(blueprint)
    _describe(api)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(documentation.blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_error_handler(BadLines, problems.from_lines)
    app.register_error_handler(ColdtrailError, problems.from_domain)
    app.register_error_handler(Exception, problems.unexpected)
    app.before_request(_refuse_nul)
    app.after_request(_harden)
    return app


def _describe(api: Api) -> None:
    """Tell in the document, too, what a schema is, in the words that it has in the code."""
    for (schema, *_), name in api.ma_plugin.converter.refs.items():
        if schema.__doc__:
            api.spec.components.schemas[name]["description"] = cleandoc(schema.__doc__)


def _refuse_nul() -> None:
    """No name holds NUL, and no PostgreSQL takes it: such an address is of nothing."""
    if "\0" in request.path:
        raise NotFound


def _language() -> str:
    """The catalogue of the language that is preferred, else English; a page also takes it from its address.

    werkzeug matches `zh-HK` with no `zh-CN` or `zh` while there is anything else to match, so its list is read here.
    """
    asked = request.args.get("lang", "") if request.blueprint == pages.blueprint.name else ""
    accepted = sorted(request.accept_languages, key=itemgetter(1), reverse=True)
    tags = [asked, *(tag for tag, weight in accepted if weight)]
    return next((LANGUAGES[tag] for tag in map(_primary, tags) if tag in LANGUAGES), "en")


def _primary(tag: str) -> str:
    """The language of a tag, without script and country."""
    return tag.lower().partition("-")[0]


def _harden(response: Response) -> Response:
    response.headers.setdefault("Content-Language", _language().replace("_", "-"))
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)  # a page has a stricter policy of its own
    return response
