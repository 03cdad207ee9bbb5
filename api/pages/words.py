"""What the closed lists of words are called on a page, in the reader's language."""

from collections.abc import Mapping
from enum import StrEnum

from flask_babel import gettext

from inventory.domain.deadlines import RuleName, Status
from inventory.domain.errors import N_
from inventory.domain.words import Chosen, Cooling, End, EventKind, LocationKind, Origin, Purpose, Side

_CALLED: tuple[tuple[StrEnum, str], ...] = (
    (EventKind.RECEIVE, N_("received")),
    (EventKind.DISPATCH, N_("dispatched")),
    (EventKind.MOVE, N_("moved")),
    (EventKind.OPEN, N_("vial opened")),
    (EventKind.ADMINISTER, N_("administered")),
    (EventKind.WASTE, N_("wasted")),
    (EventKind.HOLD, N_("held")),
    (EventKind.RELEASE, N_("released")),
    (EventKind.COUNT, N_("counted")),
    (EventKind.RETURN, N_("returned")),
    (EventKind.RECALL, N_("recalled")),
    (EventKind.OVERRIDE, N_("permitted")),
    (EventKind.CORRECT, N_("corrected")),
    (LocationKind.STORAGE, N_("in storage")),
    (LocationKind.QUARANTINE, N_("in quarantine")),
    (LocationKind.TRANSIT, N_("in transit")),
    (Purpose.SUPPLY, N_("Supply")),
    (Purpose.RETURN, N_("Return")),
    (Purpose.TRANSFER, N_("Transfer")),
    (Cooling.REFRIGERATED_TRUCK, N_("Refrigerated truck")),
    (Cooling.COLD_BOX_ACTIVE, N_("Active cold box")),
    (Cooling.COLD_BOX_PASSIVE, N_("Passive cold box with ice packs")),
    (Side.ABOVE, N_("too warm")),
    (Side.BELOW, N_("too cold")),
    (Side.SILENCE, N_("not seen")),
    (Chosen.SCANNED, N_("scanned")),
    (Chosen.NAMED, N_("named")),
    (Chosen.PICKED, N_("picked by the system")),
    (Origin.SUPPLIED, N_("from the supplier")),
    (Origin.FOUND, N_("found, origin unknown")),
    (End.ADMINISTERED, N_("administered")),
    (End.WASTED, N_("wasted")),
    (End.RETURNED, N_("returned")),
    (End.MISSING, N_("missing")),
    (Status.OPEN, N_("open")),
    (Status.DUE_SOON, N_("due soon")),
    (Status.MET, N_("met")),
    (Status.MISSED, N_("missed")),
    (RuleName.DELIVER, N_("deliver")),
    (RuleName.FORWARD, N_("forward")),
    (RuleName.USE, N_("use")),
    (RuleName.OPEN_VIAL, N_("opened vial")),
    (RuleName.THAW, N_("thawed")),
)
WORDS: Mapping[tuple[type[StrEnum], str], str] = {(type(word), word.value): called for word, called in _CALLED}
"""By list and word: the same word of two lists is equal, and called otherwise, an opened vial and an open clock."""


def named(word: StrEnum | None) -> str:
    """A word as the reader knows it; nothing for none."""
    return gettext(WORDS[type(word), word.value]) if word is not None else ""
