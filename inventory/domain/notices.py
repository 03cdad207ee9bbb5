"""Notices: what people are told, each thing once, and how often a telling is tried again."""

from datetime import datetime, timedelta
from enum import StrEnum

from inventory.domain.deadlines import SOON

CLOSE = timedelta(hours=2)
"""From here on an open deadline is close: who is to act has to be on the spot."""

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
GIVE_UP = timedelta(days=3)
"""For how long a notice is worth telling; after that the board and the lists say what there is to know."""

_DOUBLINGS = 10
"""So many exceed the longest delay by far; beyond them a power is only a large number."""


class NoticeKind(StrEnum):
    """What a notice tells."""

    DUE_IN_6_HOURS = "deadline-6h"
    DUE_IN_2_HOURS = "deadline-2h"
    MISSED = "deadline-missed"
    EXCURSION = "excursion"
    SILENCE = "silence"
    SHORTFALL = "shortfall"
    REFUSED_GOODS = "refused-goods"
    RECALL = "recall"
    REPORT_DUE = "report-due"
    REPORT_MISSED = "report-missed"
    CHECKPOINT = "checkpoint"


class Channel(StrEnum):
    """How a notice goes out."""

    WEBHOOK = "webhook"
    MAIL = "mail"


_WARNINGS = ((NoticeKind.DUE_IN_2_HOURS, CLOSE), (NoticeKind.DUE_IN_6_HOURS, SOON))


def stage(opened_at: datetime, due_at: datetime, now: datetime) -> NoticeKind | None:
    """The stage that a clock with doses under it is in, or None while there is nothing to tell.

    Only the latest stage counts: a clock that is first seen when it is missed was not about to be. A warning that
    lay before the clock began is none: whoever opens a vial that lasts six hours need not be told so at once.
    """
    if now > due_at:
        return NoticeKind.MISSED
    for kind, lead in _WARNINGS:
        if now > due_at - lead:
            return kind if opened_at < due_at - lead else None
    return None


def key(*parts: object) -> str:
    """The key that a cause has however often it is found: its notice is put once."""
    return "/".join(each.isoformat() if isinstance(each, datetime) else str(each) for each in parts)


def next_attempt(created_at: datetime, attempts: int, failed_at: datetime) -> datetime | None:
    """When a notice is tried again after so many attempts have failed, or None to give up.

    The delay doubles with each attempt up to a ceiling.
    """
    delay = min(FIRST_DELAY * 2 ** min(attempts - 1, _DOUBLINGS), LONGEST_DELAY)
    return failed_at + delay if failed_at + delay <= created_at + GIVE_UP else None
