"""Temperatures are integers of a hundredth of a degree Celsius, so that a threshold compares exactly."""

from decimal import ROUND_HALF_EVEN, Decimal

ABSOLUTE_ZERO = -27315
"""The lowest temperature there is, in hundredths of a degree Celsius."""

HIGHEST = 20_000
"""The highest temperature taken for a reading, 200 degrees: beyond it a sensor is broken, not hot."""


def centi(celsius: Decimal | str | int) -> int:
    """Hundredths of a degree from degrees Celsius, rounded half to even.

    Raises ValueError for what is no temperature: not finite, below absolute zero or above 200 degrees.
    """
    value = Decimal(celsius)
    if not value.is_finite() or not ABSOLUTE_ZERO <= value * 100 <= HIGHEST:
        raise ValueError(f"{celsius} is not a temperature in degrees Celsius")
    return int((value * 100).quantize(Decimal(1), ROUND_HALF_EVEN))


def celsius(hundredths: int) -> Decimal:
    """Degrees Celsius, exactly, from hundredths."""
    return Decimal(hundredths).scaleb(-2)
