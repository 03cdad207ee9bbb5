"""The storage profiles that come with Coldtrail: bands and the limits beyond which there is an excursion.

WHO's thresholds are PQS E006 (HEAT and FRZE) and the indicators of international shipments, types I and II. The
others are what loggers and programmes are commonly set to; whoever is told otherwise adds a profile of their own.
"""

from datetime import timedelta

from inventory.domain.budgets import Budget
from inventory.domain.limits import ExcursionRule
from inventory.domain.words import Side

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DAY = 24 * HOUR
VOYAGE = 10 * DAY
"""How long a shipment's indicator lasts, and so how long it adds up."""

PROFILES = {
    "who-2-8": (200, 800),
    "strict-2-8": (200, 800),
    "logger-2-8": (200, 800),
    "frozen": (-2500, -1500),
    "ultra-cold": (-9000, -6000),
    "who-shipment-1": (200, 800),
    "who-shipment-2": (200, 800),
}
"""Bands in hundredths of a degree Celsius, both ends included."""


def above(name: str, threshold: int, duration: timedelta, window: timedelta | None = None) -> ExcursionRule:
    """A limit of which the threshold itself is still within."""
    return ExcursionRule(name, Side.ABOVE, threshold, inclusive=False, duration=duration, window=window)


def from_up(name: str, threshold: int, duration: timedelta, window: timedelta | None = None) -> ExcursionRule:
    """A limit of which the threshold itself is already beyond."""
    return ExcursionRule(name, Side.ABOVE, threshold, inclusive=True, duration=duration, window=window)


def below(name: str, threshold: int, duration: timedelta, window: timedelta | None = None) -> ExcursionRule:
    """A limit of which the threshold itself is still within."""
    return ExcursionRule(name, Side.BELOW, threshold, inclusive=False, duration=duration, window=window)


def from_down(name: str, threshold: int, duration: timedelta, window: timedelta | None = None) -> ExcursionRule:
    """A limit of which the threshold itself is already beyond."""
    return ExcursionRule(name, Side.BELOW, threshold, inclusive=True, duration=duration, window=window)


HEAT, FREEZE = above("HEAT", 800, 10 * HOUR), from_down("FRZE", -50, HOUR)

EXCURSION_RULES = {
    "who-2-8": (HEAT, FREEZE),
    # A national programme's stricter limits, as loggers are set for it: outside 2 to 8 for half an hour.
    "strict-2-8": (above("HOT", 800, 30 * MINUTE), below("COLD", 200, 30 * MINUTE), HEAT, FREEZE),
    # As fridge loggers and their apps are often set: a run, or twice as long in bits and pieces within a day.
    "logger-2-8": (
        from_up("HOT", 800, 30 * MINUTE),
        from_up("HOT-SUM", 800, HOUR, DAY),
        from_down("COLD", 200, 20 * MINUTE),
        from_down("COLD-SUM", 200, 40 * MINUTE, DAY),
        FREEZE,
    ),
    # A defrosting freezer is above its band for minutes; an hour, or four a day, is more than that. At zero it thaws.
    "frozen": (
        above("WARM", -1500, HOUR),
        above("WARM-SUM", -1500, 4 * HOUR, DAY),
        from_up("THAW", 0, 10 * MINUTE),
        below("DEEP", -2500, HOUR),
    ),
    # A lid stands open for minutes; half an hour above the band is a failure.
    "ultra-cold": (
        above("WARM", -6000, 30 * MINUTE),
        above("WARM-SUM", -6000, 2 * HOUR, DAY),
        below("DEEP", -9000, HOUR),
    ),
    # Type I: DTP, Td, HepB, IPV, liquid Hib and what is combined of them, none of which may freeze.
    "who-shipment-1": (
        from_up("HEAT-45", 4500, HOUR),
        from_up("HEAT-30-SUM", 3000, 10 * HOUR, VOYAGE),
        FREEZE,
    ),
    # Type II: OPV and freeze-dried BCG, measles, MR, MMR, yellow fever and others, which may.
    "who-shipment-2": (
        from_up("HEAT-45", 4500, HOUR),
        from_up("HEAT-30-SUM", 3000, 10 * HOUR, VOYAGE),
        from_up("HEAT-10-SUM", 1000, 20 * HOUR, VOYAGE),
    ),
}

THAWED, ROOM = Budget("THAWED", 200, 800, 30 * DAY), Budget("ROOM", 801, 2500, 12 * HOUR)

BUDGETS = {
    # As the label of the first frozen mRNA vaccine: 30 days at 2 to 8 degrees, 12 hours at 8 to 25 in total.
    "frozen": (THAWED, ROOM),
    # As that of the ultra-cold one: two weeks in a freezer, ten weeks at 2 to 8, 12 hours at 8 to 25 in total.
    "ultra-cold": (Budget("FREEZER", -2500, -1500, 14 * DAY), Budget("THAWED", 200, 800, 70 * DAY), ROOM),
}
"""Time outside the band that profiles allow in total; the others allow none that anybody has to count."""
