"""Pages that print well: the record of a transport, the trail of a batch, the trail of given doses."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException

from api import problems
from api.auth import READERS, allow_browsers
from api.blueprint import StrictParser
from api.context import database, now
from api.pages import render
from api.pages.render import Heading
from api.schemas import pages as schemas
from inventory.domain.errors import ColdtrailError, Unauthenticated
from inventory.services import trail_sheets, transport_sheets
from inventory.services.as_of import AsOf
from inventory.services.trails import Branches

blueprint = Blueprint("pages", "api", url_prefix="/pages", template_folder="pages")

CHALLENGE = 'Basic realm="Coldtrail", charset="UTF-8"'
"""What makes a browser ask for a name and a password: the token."""


_arguments = StrictParser().use_args

MOST_CUSTODIES = 5000
"""How many custodies one page shows; a browser does not lay out many more, and nobody reads them."""


@blueprint.get("/shipments/<uuid:shipment>/transport-record")
@allow_browsers(*READERS)
@_arguments(schemas.SheetQuery(), location="query")
def transport_record(_: dict[str, Any], shipment: UUID) -> Response:
    """The record of a transport."""
    at = now()
    sheet = transport_sheets.get_transport_sheet(database(), shipment, at)
    way = f"{sheet.sender.name} → {sheet.receiver.name}"
    heading = Heading(gettext("Vaccine transport record"), way, sheet.receiver.zone, at)
    return render.page("transport_record.html", heading, sheet=sheet)


@blueprint.get("/batches/<gtin>/<batch:batch>/trail")
@allow_browsers(*READERS)
@_arguments(schemas.TreeSheetQuery(), location="query")
def batch_trail(query: dict[str, Any], gtin: str, batch: str) -> Response:
    """Everywhere that a batch went."""
    as_of = AsOf.asked(query["at"], query["known_at"], now())
    wanted = Branches(query["facility"], query["depth"], limit=MOST_CUSTODIES, as_of=as_of)
    sheet = trail_sheets.batch_sheet(database(), gtin, batch, now(), wanted)
    heading = Heading(gettext("Trail of a batch"), _named(sheet.subject), sheet.zone, as_of.until(now()))
    return render.page("batch_trail.html", heading, sheet=sheet, wanted=wanted)


@blueprint.get("/administrations/<uuid:administration>/trail")
@allow_browsers(*READERS)
@_arguments(schemas.SheetQuery(), location="query")
def dose_trail(_: dict[str, Any], administration: UUID) -> Response:
    """The way of given doses back to the warehouse."""
    sheet = trail_sheets.dose_sheet(database(), administration)
    heading = Heading(gettext("Trail of given doses"), _named(sheet.subject), sheet.zone, now())
    return render.page("dose_trail.html", heading, sheet=sheet)


def _named(about: trail_sheets.Subject) -> str:
    batch = gettext("batch %(batch)s", batch=about.batch)
    return f"{about.product} · {batch}"


@blueprint.errorhandler(ColdtrailError)
def refused(error: ColdtrailError) -> Response:
    """What cannot be shown; who is not known is asked for a password."""
    answer = _told(problems.from_domain(error))
    if isinstance(error, Unauthenticated):
        answer.headers["WWW-Authenticate"] = CHALLENGE
    return answer


@blueprint.errorhandler(HTTPException)
def not_well_asked(error: HTTPException) -> Response:
    """An address that asks for what no page has."""
    return _told(problems.from_http(error))


def _told(problem: Response) -> Response:
    """A problem, as a page for whoever reads pages."""
    if request.accept_mimetypes.best_match([problems.CONTENT_TYPE, "text/html"]) != "text/html":
        return problem
    told = problem.get_json()
    return render.refusal(problem.status_code, told["title"], told.get("detail") or "")
