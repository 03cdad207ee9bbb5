"""Whether a gateway is there, and what the arrival of its messages says of its clock."""

from datetime import timedelta

from inventory.domain.instants import CLOCK_SKEW
from inventory.domain.words import ClockState

LEAST_KEPT = timedelta(days=1)
"""For how long the least lag is kept before it is begun anew: a clock may be set right."""


def clock_state(least_lag: timedelta) -> ClockState:
    """What the least lag of a gateway's messages proves.

    A lag is the time from the newest reading of a message to its arrival, and what was measured cannot arrive before:
    a negative one proves a clock ahead by that much at least. A large one, where it is the least for long, is a clock
    behind or a gateway that always delivers late; which of the two, arrivals alone cannot tell.
    """
    if least_lag < timedelta():
        return ClockState.AHEAD
    return ClockState.BEHIND_OR_LATE if least_lag > CLOCK_SKEW else ClockState.PLAUSIBLE
