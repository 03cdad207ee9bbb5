"""What the driver is sent directly does and says what SQLAlchemy would have, also where it fails."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, func, literal_column, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from inventory.domain.errors import Code, Unavailable
from inventory.domain.words import FacilityKind, RejectReason
from inventory.persistence.database import Database
from inventory.persistence.prepared import Prepared, PreparedWrite
from inventory.persistence.statements import core
from inventory.persistence.tables import Facility, RejectedMessage
from tests.integration.test_dead_connections import kill_others
from tests.integration.test_dead_connections import url as url

STORES = Prepared(
    select(Facility.id, Facility.code, Facility.kind, Facility.supplied_by_id, func.length(Facility.zone))
    .where(Facility.kind == bindparam("kind", type_=Facility.kind.type), Facility.name != "nobody")
    .order_by(Facility.code)
)
SINCE = Prepared(
    select(RejectedMessage.received_at).where(
        RejectedMessage.received_at >= bindparam("since", type_=RejectedMessage.received_at.type)
    )
)
WRONG = Prepared(select(literal_column("1 / (length(code) - 1)").label("broken")).select_from(Facility))
MOVED = PreparedWrite(
    update(core(Facility))
    .where(core(Facility).c.kind == bindparam("among", type_=Facility.kind.type), core(Facility).c.name != "nobody")
    .values(zone=bindparam("to"))
)
RENAMED = PreparedWrite(
    update(core(Facility)).where(core(Facility).c.code == bindparam("old")).values(code=bindparam("new"))
)
AT = datetime(2026, 1, 5, 8, 0, 0, 5, tzinfo=UTC)
KINDS = {"A": FacilityKind.COUNTY_STORE, "B": FacilityKind.FIXED_SITE, "C": FacilityKind.COUNTY_STORE}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.write(_fill)
    yield database
    database.close()


def _fill(session: Session) -> None:
    for code, kind in KINDS.items():
        session.add(Facility(id=uuid4(), code=code, name=code, kind=kind, zone="Asia/Shanghai"))
    kept = {"topic": "", "payload": b"", "reason": RejectReason.MALFORMED, "detail": "", "times": 1}
    for each in (AT, AT + timedelta(microseconds=1)):
        session.add(RejectedMessage(id=uuid4(), digest=str(each), received_at=each, **kept))


def test_rows_are_those_of_sqlalchemy_by_place_and_by_name(database: Database) -> None:
    with database.read() as session:
        found = STORES.rows(session, kind=FacilityKind.COUNTY_STORE)
        expected = session.connection().execute(STORES.query, {"kind": FacilityKind.COUNTY_STORE}).all()
    assert [tuple(row) for row in found] == [tuple(row) for row in expected]
    assert [(row.code, row.supplied_by_id, row[4]) for row in found] == [("A", None, 13), ("C", None, 13)]
    assert all(row.kind is FacilityKind.COUNTY_STORE for row in found)


def test_instants_come_in_utc_and_to_the_microsecond(database: Database) -> None:
    with database.read() as session:
        (later,) = SINCE.rows(session, since=AT + timedelta(microseconds=1))
    assert later.received_at == AT + timedelta(microseconds=1)
    assert later.received_at.tzinfo is UTC


@pytest.fixture
def postgres_database(url: str) -> Iterator[Database]:
    database = Database(url)
    database.write(_fill)
    yield database
    database.close()


def test_a_query_that_is_at_fault_is_told_as_any_other(postgres_database: Database) -> None:
    with pytest.raises(DBAPIError, match="division by zero"), postgres_database.read() as session:
        WRONG.rows(session)
    with postgres_database.read() as session:
        assert len(STORES.rows(session, kind=FacilityKind.COUNTY_STORE)) == 2


def test_a_database_that_goes_away_meanwhile_is_said_to_be_away(url: str, postgres_database: Database) -> None:
    def read() -> None:
        with postgres_database.read() as session:
            kill_others(url)
            STORES.rows(session, kind=FacilityKind.FIXED_SITE)

    with pytest.raises(Unavailable) as away:
        read()
    assert away.value.code is Code.DATABASE_AWAY
    with postgres_database.read() as session:
        assert len(STORES.rows(session, kind=FacilityKind.FIXED_SITE)) == 1


def test_a_write_is_carried_out_for_each_of_the_parameters_and_says_how_many_rows_that_wrote(
    database: Database,
) -> None:
    stores, sites = ({"among": kind, "to": kind.value} for kind in (FacilityKind.COUNTY_STORE, FacilityKind.FIXED_SITE))
    nobody = {"among": FacilityKind.CITY_STORE, "to": "none"}
    for parameters, expected in (([stores], 2), ([nobody], 0), ([sites, nobody, stores], 3)):
        assert database.write(partial(MOVED.carry_out, parameters=parameters)) == expected
    with database.read() as session:
        assert {each.code: each.zone for each in session.scalars(select(Facility))} == {
            code: kind.value for code, kind in KINDS.items()
        }


@pytest.mark.parametrize("old", [["A"], ["A", "C"]])
def test_a_write_that_may_not_be_is_told_as_any_other_and_leaves_nothing(database: Database, old: list[str]) -> None:
    with pytest.raises(IntegrityError):
        database.write(lambda session: RENAMED.carry_out(session, [{"old": each, "new": "B"} for each in old]))
    with database.read() as session:
        assert set(session.scalars(select(Facility.code))) == set(KINDS)


@pytest.mark.parametrize("times", [1, 3])
def test_a_write_whose_connection_dies_under_it_is_run_again(url: str, postgres_database: Database, times: int) -> None:
    tried = []

    def work(session: Session) -> int:
        tried.append(session)
        session.connection()
        if len(tried) == 1:
            kill_others(url)
        return MOVED.carry_out(session, [{"among": FacilityKind.FIXED_SITE, "to": "moved"}] * times)

    assert postgres_database.write(work) == times
    assert len(tried) == 2
