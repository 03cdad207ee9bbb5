"""The reasons that the check before use gives: their codes, verdicts and texts, and what an override makes of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from inventory.domain.errors import N_


class Usable(StrEnum):
    """Whether doses may be given; the later word is the worse."""

    YES = "yes"
    ASK = "ask"
    NO = "no"


class ReasonCode(StrEnum):
    """Why doses may not be given, or what is to be known of them; a client may branch on these."""

    LABEL_EXPIRED = "label_expired"
    OPEN_VIAL_LIMIT = "open_vial_limit"
    THAW_LIMIT = "thaw_limit"
    HELD = "held"
    RECALLED = "recalled"
    NOT_A_SITE = "not_a_site"
    WRONG_FACILITY = "wrong_facility"
    USED_UP = "used_up"
    PACK_OPENED = "pack_opened"
    OTHER_PRODUCT = "other_product"
    EXPOSURE = "exposure"
    UNSEEN = "unseen"
    DEADLINE = "deadline"
    PACK_UNCERTAIN = "pack_uncertain"


TEXTS: dict[ReasonCode, str] = {
    ReasonCode.LABEL_EXPIRED: N_("the batch expired on %(expiry)s"),
    ReasonCode.OPEN_VIAL_LIMIT: N_("the vial was opened too long ago; it lasted until %(due_at)s"),
    ReasonCode.THAW_LIMIT: N_("the doses thawed too long ago; they lasted until %(due_at)s"),
    ReasonCode.HELD: N_("the doses are held in quarantine"),
    ReasonCode.RECALLED: N_("the batch is recalled"),
    ReasonCode.NOT_A_SITE: N_("%(facility)s is not a vaccination site"),
    ReasonCode.WRONG_FACILITY: N_("the doses are not at %(facility)s"),
    ReasonCode.USED_UP: N_("nothing is left of the pack %(pack)s"),
    ReasonCode.PACK_OPENED: N_("the pack %(pack)s was opened; what was in it is scanned by its own code"),
    ReasonCode.OTHER_PRODUCT: N_("the person's earlier dose was of another product, %(previous_gtin)s"),
    ReasonCode.EXPOSURE: N_("sensor %(sensor)s saw the excursion %(rule)s where the doses were, from %(started_at)s"),
    ReasonCode.UNSEEN: N_("sensor %(sensor)s was silent where the doses were, from %(started_at)s"),
    ReasonCode.DEADLINE: N_("the deadline %(name)s was missed; it was due at %(due_at)s"),
    ReasonCode.PACK_UNCERTAIN: N_("%(remaining)d doses should be left of the pack %(pack)s, but %(there)d are there"),
}
"""What each reason says, over its facts."""

STANDING = frozenset({ReasonCode.EXPOSURE, ReasonCode.DEADLINE})
"""The reasons that an override can cover for all doses of a batch; the others are about one person, or one pack."""


@dataclass(frozen=True)
class Reason:
    """One reason with its facts; `override` is the event by which a supervisor has answered for it."""

    code: ReasonCode
    verdict: Usable
    facts: dict[str, Any]
    override: UUID | None = None


def worst(reasons: Iterable[Reason]) -> Usable:
    """The verdict over all reasons: the worst of those that nobody has overridden, yes without any."""
    verdicts = [reason.verdict for reason in reasons if reason.override is None]
    return max(verdicts, key=list(Usable).index, default=Usable.YES)


def overridden(reasons: Iterable[Reason], override: UUID) -> tuple[Reason, ...]:
    """The reasons with every open question answered by an override; what is forbidden stays so."""
    return tuple(
        replace(reason, override=override) if reason.verdict is Usable.ASK and reason.override is None else reason
        for reason in reasons
    )


def asked(reasons: Iterable[Reason]) -> tuple[ReasonCode, ...]:
    """The kinds of reason that still ask."""
    codes = [reason.code for reason in reasons if reason.verdict is Usable.ASK and reason.override is None]
    return tuple(dict.fromkeys(codes))
