"""What a device's own alarm codes mean, as far as they are known."""

from inventory.domain.words import Side

ACKNOWLEDGED = "ACK"
"""A code with this at its end says that somebody at the device has seen the alarm; it stands all the same."""

LONGEST_CODE = 64

_SIDES = {"HEAT": Side.ABOVE, "HIGH": Side.ABOVE, "FRZE": Side.BELOW, "LOW": Side.BELOW}


def side_of(code: str) -> Side | None:
    """On which side of its limit a code says that the temperature was; None where it says nothing of it.

    HEAT and FRZE are those of WHO PQS E006; HIGH and LOW, with the limit behind them, those of a logger with limits of
    its own. DOOR, POWR and whatever is not known here have no side.
    """
    name = code.split(" ", 1)[0].removesuffix(ACKNOWLEDGED)
    return _SIDES.get(name)
