"""What a worker remembers between chunks is right also after a chunk that could not be committed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from inventory.domain.errors import Unavailable
from inventory.persistence.database import Database
from inventory.services import monitoring
from soak.proof import prove
from tests.county import NOW, build, message


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    build(found)
    yield found
    found.close()


def readings(*minutes: int) -> list[tuple[str, Any, int]]:
    return [("S-BOX", NOW - timedelta(days=1) + timedelta(minutes=minute), 400 + minute) for minute in minutes]


@pytest.fixture
def failing() -> Iterator[list[Exception]]:
    """What the next commits raise, when all is written and only the commit is left."""
    errors: list[Exception] = []

    def fail(_session: Session) -> None:
        if errors:
            raise errors.pop()

    event.listen(Session, "before_commit", fail)
    yield errors
    event.remove(Session, "before_commit", fail)


@pytest.mark.parametrize("before", [False, True], ids=["first", "later"])
@pytest.mark.parametrize("second", [(5,), (0, 5), (15,), (25,), (5, 10, 15)], ids=str)
def test_the_same_chunk_and_others_are_stored_after_one_that_failed(
    before: bool, second: tuple[int, ...], database: Database, failing: list[Exception]
) -> None:
    intake, taken = monitoring.Intake(database), []
    if before:
        taken += readings(0, 5)
        intake.record([message(readings(0, 5), boot="b", seq=1)], NOW)
    failing.append(ConnectionError("gone"))
    with pytest.raises(ConnectionError):
        intake.record([message(readings(10, 20), boot="b", seq=1 + before)], NOW)
    assert prove(database, {}).stored == len(taken)
    (receipt,) = intake.record(
        [message(readings(10, 20), boot="b", seq=1 + before), message(readings(*second), boot="b", seq=2 + before)], NOW
    )
    assert receipt.seq == 2 + before
    proof = prove(database, {(sensor, at): value for sensor, at, value in [*taken, *readings(10, 20, *second)]})
    assert proof.holds, proof
    assert proof.unrecorded == 0


def test_the_same_holds_where_the_database_was_away(database: Database, failing: list[Exception]) -> None:
    intake = monitoring.Intake(database)
    for minute, chunk in enumerate(([10], [5], [20], [15])):
        failing.append(ConnectionError("gone"))
        with pytest.raises((ConnectionError, Unavailable)):
            intake.record([message(readings(*chunk), boot="b", seq=minute + 1)], NOW)
        intake.record([message(readings(*chunk), boot="b", seq=minute + 1)], NOW)
    proof = prove(database, {(sensor, at): value for sensor, at, value in readings(5, 10, 15, 20)})
    assert proof.holds, proof
