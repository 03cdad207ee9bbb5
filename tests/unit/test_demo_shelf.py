"""A shelf of the demonstration: each batch once, what expires first is taken first, and never more than is there."""

import random
from datetime import date

import pytest

from coldtrail.demo.shelf import Shelf
from coldtrail.demo.steps import Lot

EARLY, LATE = date(2026, 6, 30), date(2026, 12, 31)
CHOICE = random.Random(1)


def lot(batch: str, doses: int, expiry: date = LATE, gtin: str = "G") -> Lot:
    return Lot(gtin, batch, expiry, doses)


def test_a_batch_that_comes_twice_stands_there_once() -> None:
    shelf = Shelf.of([lot("A", 3), lot("B", 1)])
    shelf.put([lot("A", 2)])
    assert shelf.lots == [lot("A", 5), lot("B", 1)]


def test_what_expires_first_is_given_first() -> None:
    shelf = Shelf.of([lot("A", 5), lot("B", 2, EARLY)])
    taken = [shelf.take(CHOICE) for _ in range(8)]
    assert [each.batch for each in taken if each] == ["B", "B", "A", "A", "A", "A", "A"]
    assert taken[-1] is None


def test_what_is_used_up_is_still_counted() -> None:
    shelf = Shelf.of([lot("A", 1)])
    shelf.take(CHOICE)
    assert shelf.held == []
    assert shelf.lots == [lot("A", 0)]


def test_of_a_product_what_expires_first_goes_out_first() -> None:
    shelf = Shelf.of([lot("A", 5), lot("B", 2, EARLY), lot("C", 9, EARLY, "OTHER")])
    assert shelf.withdraw_any("G", 4) == [lot("B", 2, EARLY), lot("A", 2)]
    assert shelf.withdraw_any("G", 9) == [lot("A", 3)]


def test_nobody_takes_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="not on the shelf"):
        Shelf.of([lot("A", 1)]).withdraw(lot("A", 1), 2)
