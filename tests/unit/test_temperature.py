from decimal import Decimal

import pytest

from inventory.domain.temperature import ABSOLUTE_ZERO, HIGHEST, celsius, centi


@pytest.mark.parametrize(
    ("degrees", "hundredths"),
    [
        ("4.56", 456),
        ("-0.5", -50),
        ("8", 800),
        ("8.004", 800),
        ("8.006", 801),
        (ABSOLUTE_ZERO, -27315),
        (HIGHEST, 20000),
    ],
)
def test_degrees_become_whole_hundredths(degrees: str | Decimal, hundredths: int) -> None:
    assert centi(Decimal(degrees)) == hundredths


def test_whole_degrees_may_come_as_an_integer() -> None:
    assert centi(-5) == -500


@pytest.mark.parametrize(("degrees", "hundredths"), [("0.125", 12), ("0.135", 14), ("-0.125", -12), ("-0.135", -14)])
def test_a_half_goes_to_the_even_hundredth_on_both_sides_of_zero(degrees: str, hundredths: int) -> None:
    assert centi(Decimal(degrees)) == hundredths


@pytest.mark.parametrize("degrees", ["-273.16", "200.01", "NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_no_temperature_is_refused(degrees: str) -> None:
    with pytest.raises(ValueError, match="not a temperature"):
        centi(Decimal(degrees))


@pytest.mark.parametrize("hundredths", [-27315, -1, 0, 1, 456, 20000])
def test_hundredths_go_to_degrees_and_back_unchanged(hundredths: int) -> None:
    assert centi(celsius(hundredths)) == hundredths


def test_a_hundredth_is_shown_exactly() -> None:
    assert str(celsius(456)) == "4.56"
    assert str(celsius(-5)) == "-0.05"
