"""The benchmarks measure what they say: a history that is whole, and a yardstick that writes what Coldtrail writes."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from bench import bare, county, history
from bench.orders import by_hand
from inventory.persistence.database import Database
from inventory.persistence.tables import HOLDS, Custody, Movement
from inventory.services.verification import verify
from tests.county import counts
from tests.services import PostgresTemplate


@pytest.fixture(scope="module")
def url(postgresql_template: PostgresTemplate) -> Iterator[str]:
    with postgresql_template.clone() as url:
        now = datetime.now(UTC)
        county.build(url)
        for deliveries in (history.used_up(500, now), *history.still_open(now)):
            history.write(url, deliveries)
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


def test_the_history_is_whole_and_as_deep_as_it_says(database: Database) -> None:
    assert verify(database).holds
    with database.read() as session:
        assert session.scalar(select(func.count()).where(HOLDS)) == history.OPEN
        used_up = select(func.count()).select_from(Movement).join(Custody, Custody.id == Movement.from_custody_id)
        assert session.scalar(used_up.where(Movement.end_kind.is_not(None), Custody.remaining == 0)) == 500


def test_the_yardstick_writes_what_an_administration_writes(
    url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_DATABASE_URL", url)
    head, _, body = by_hand(url, county.nurses(url))().partition(b"\r\n\r\n")
    key = head.decode().rpartition("Idempotency-Key: ")[2]
    before = counts(database)
    sent = bare.app.test_client().post(
        "/administrations", data=body, content_type="application/json", headers={"Idempotency-Key": key}
    )
    assert sent.status_code == 201
    after = counts(database)
    written = {table: after[table] - before[table] for table in after if after[table] != before[table]}
    assert written == {"stock_event": 1, "movement": 1, "idempotency_key": 1}
    assert verify(database).holds
