"""The benchmark of trails measures what it says: a history that is whole, and statements that are the service's own."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from bench import by_hand, county, trail_data
from bench.trail_data import History
from inventory.persistence.database import Database
from inventory.services import trails
from inventory.services.verification import verify
from tests.services import PostgresTemplate

NOW = datetime.now(UTC)
TOLD = History(30, 4, 28, 2, NOW - timedelta(days=4), NOW)


@pytest.fixture(scope="module")
def url(postgresql_template: PostgresTemplate) -> Iterator[str]:
    with postgresql_template.clone() as url:
        trail_data.write(url, TOLD)
        yield url


def test_the_history_is_whole_and_its_trails_are_full(url: str) -> None:
    with closing(Database(url)) as database:
        verdict = verify(database)
        assert verdict.holds, verdict.faults
        tree = trails.batch_trail(database, county.GTIN, "B0", NOW)
        assert (len(tree.custodies), tree.administered, tree.on_hand) == (45, 60, 150)
        (dose, *_) = trail_data.doses(url, 3)
        (chain,) = trails.administration_trail(database, UUID(dose)).chains
        assert [len(stage.evidence.sensors) for stage in chain.stages] == [1, 1, 1]
        assert chain.exposure.unseen < timedelta(minutes=2 * trail_data.STEP)  # until a logger first speaks
        assert chain.doubt is not None
        pack = trails.pack_trail(database, trail_data.packs(url, 2, 30)[1], NOW)
        assert pack.chain is not None
        assert len(pack.chain.stages) == 3


def test_what_is_sent_by_hand_is_what_the_service_sends(url: str) -> None:
    with closing(Database(url)) as database:
        dose = UUID(trail_data.doses(url, 1)[0])
        said = by_hand.recorded(database, lambda: trails.administration_trail(database, dose))
    assert sum(b"movement" in statement for statement, _ in said) > 1
    with psycopg.connect(url, autocommit=True) as connection:
        by_hand.send(connection, said)
