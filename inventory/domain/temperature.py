"""Temperatures are integers of a hundredth of a degree Celsius, so that a threshold compares exactly."""

from decimal import ROUND_HALF_EVEN, Decimal

ABSOLUTE_ZERO = Decimal("-273.15")
"""The lowest temperature there is, in degrees Celsius."""

HIGHEST = Decimal(200)
"""The highest taken for a reading, in degrees Celsius: beyond it a sensor is broken, not hot."""


def centi(degrees: Decimal | int) -> int:
    """Hundredths of a degree from degrees Celsius, rounded half to even.

    Raises:
        ValueError: what is no temperature: not finite, below absolute zero or above 200 degrees.
    """
    value = Decimal(degrees)
    if not value.is_finite() or not ABSOLUTE_ZERO <= value <= HIGHEST:
        raise ValueError(f"{degrees} is not a temperature in degrees Celsius")
    return int((value * 100).quantize(Decimal(1), ROUND_HALF_EVEN))


def celsius(hundredths: int) -> Decimal:
    """Degrees Celsius, exactly, from hundredths."""
    return Decimal(hundredths).scaleb(-2)
