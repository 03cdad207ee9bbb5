"""What people were told."""

from typing import Any

from api.auth import READERS, allow
from api.blueprint import Blueprint
from api.context import database
from api.schemas import answers
from api.schemas.notices import NoticeQuery, NoticeSchema
from inventory.services import notices
from inventory.services.paging import Page

blueprint = Blueprint("notices", "notices", url_prefix="/api/v1", description="What people were told, and when")


@blueprint.route("/notices")
@allow(*READERS)
@blueprint.arguments(NoticeQuery, location="query")
@blueprint.response(200, answers.page_of(NoticeSchema))
def get_notices(query: dict[str, Any]) -> Page[notices.ToldNotice]:
    """Notices of deadlines, excursions, silences, shortfalls, refused goods and recalls, with their deliveries."""
    return notices.list_notices(database(), **query)
