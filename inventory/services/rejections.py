"""What cannot be stored is kept whole with its reason, and counted when it comes again."""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from inventory.persistence.statements import insert_new
from inventory.persistence.tables import RejectedMessage
from inventory.services.ids import new_id
from inventory.services.messages import Rejection

LONGEST_DETAIL = 500
"""How much of a reason's detail is kept, in characters: the whole message says the rest."""


def keep_aside(session: Session, rejections: Sequence[Rejection]) -> None:
    """Keep each rejected message once for each reason, and count how often it came."""
    for rejection in rejections:
        row = _row(rejection)
        if not insert_new(session, RejectedMessage, [row]):
            session.execute(
                update(RejectedMessage)
                .where(RejectedMessage.digest == row["digest"])
                .values(times=RejectedMessage.times + 1)
            )


def _row(rejection: Rejection) -> dict[str, Any]:
    detail = rejection.detail[:LONGEST_DETAIL].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    topic = rejection.topic.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    whole = b"\x00".join((topic.encode(), rejection.reason.encode(), detail.encode(), rejection.payload))
    return {
        "id": new_id(),
        "digest": hashlib.sha256(whole).hexdigest(),
        "topic": topic,
        "payload": rejection.payload,
        "reason": rejection.reason,
        "detail": detail,
        "received_at": rejection.received_at,
        "times": 1,
    }
