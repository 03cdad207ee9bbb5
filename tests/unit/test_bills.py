"""What a bill is made of, and that docs/standards.md tells of every field whether it is filled."""

import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from inventory.domain import bills
from inventory.domain.bills import (
    BillType,
    Direction,
    DoseGivenBill,
    InOutBill,
    TemperatureRecord,
    TransportTemperature,
)

STANDARDS = Path(__file__).parents[2] / "docs" / "standards.md"
SHAPES = (InOutBill, DoseGivenBill, TransportTemperature, TemperatureRecord)
SPECIAL, PLAIN = "89" + "1" * 18, "81" + "2" * 18


def test_the_time_of_a_bill_is_china_s_wherever_it_was() -> None:
    assert bills.bill_time(datetime(2026, 1, 4, 16, 0, 59, tzinfo=UTC)) == "2026-01-05 00:00:59"


def test_an_event_s_bills_of_different_types_have_different_numbers() -> None:
    event = UUID("01a1ffa2-663b-7b16-898d-26d8c516d3ff")
    codes = {bills.bill_code(kind, event) for kind in BillType}
    assert len(codes) == len(BillType)
    assert bills.bill_code(BillType.SUPPLY_IN, event) == "CT10701A1FFA2663B7B16898D26D8C516D3FF"
    assert bills.bill_code(BillType.SUPPLY_IN, UUID(int=event.int + 1)) not in codes


@pytest.mark.parametrize(
    "code",
    ["8" * 19, "8" * 21, "8" * 19 + "x", "", "8" * 20 + "\n", "８" * 20, "0109501234567890217654321", f"00{7:018}"],
)
def test_only_20_digits_that_begin_with_8_are_a_trace_code(code: str) -> None:
    assert bills.trace_codes({code: 1, PLAIN: 1}) == (PLAIN,)


@pytest.mark.parametrize(("codes", "kind"), [((), None), ((SPECIAL,), "2"), ((PLAIN,), "3"), ((PLAIN, SPECIAL), None)])
def test_the_kind_of_goods_is_said_where_the_codes_agree(codes: tuple[str, ...], kind: str | None) -> None:
    assert bills.physic_type(codes) == kind


def test_directions_are_those_of_the_platform_s_first_digit() -> None:
    assert {kind.value for kind in BillType if kind.direction is Direction.IN} == {"102", "103", "104", "107", "111"}
    assert [kind.value for kind in BillType if kind.direction is Direction.PERSON] == ["322"]


def test_the_vaccine_interface_takes_those_that_it_is_known_to_take() -> None:
    taken = {kind.value for kind in BillType if kind.in_vaccine_interface}
    assert taken == {"102", "103", "107", "202", "205", "209", "322"}


def test_the_standards_page_tells_of_every_field_once() -> None:
    text = STANDARDS.read_text(encoding="utf-8").split("## Stock events as bills")[1].split("\n## ")[0]
    table, never = text.split("What cannot be filled")
    filled = set(re.findall(r"`([a-z_]+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line)))
    empty = set(re.findall(r"`([a-z_]+)`", never.split("Of these")[0]))
    ours = {field.name for shape in SHAPES for field in fields(shape)} - {"records"}
    assert filled | empty == ours
    assert filled & empty == set()
