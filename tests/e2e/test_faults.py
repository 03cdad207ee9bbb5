"""Law 5, by experiment: whatever is killed, and whenever, what was taken is there once (for longer: `make soak`)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from soak.chaos import Storm
from soak.installation import Shape, divided, installed
from soak.variants import KINDS, PLAIN_KINDS, Outcome, Variant, with_receipts, without_receipts
from tests.services import free_port, postgres_binaries, require_mosquitto, unavailable

Run = Callable[[Variant, Shape, Storm], Outcome]


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs a variant on an installation of its own, in a folder where PostgreSQL's account can come through."""
    binaries = postgres_binaries() or unavailable("there is no PostgreSQL that could be killed: install its server")
    require_mosquitto()
    with TemporaryDirectory(prefix="coldtrail-faults-") as name:
        folder = Path(name)
        folder.chmod(0o755)

        def run(variant: Variant, shape: Shape, storm: Storm) -> Outcome:
            with installed(binaries, folder, free_port(), shape) as installation:
                return variant(installation, folder, shape, storm)

        yield run


def test_every_reading_taken_is_there_once_after_kills_of_gateway_ingestor_broker_and_database(run: Run) -> None:
    shape = Shape(gateways=2, sensors=4, divisions=divided(2))
    killed, proof = run(with_receipts, shape, Storm(kills=5, pause=0.8, seed=20260105))
    assert set(killed) == set(KINDS)
    assert proof.holds, proof
    assert proof.taken > 100
    assert proof.unrecorded <= killed["gateway"] * shape.sensors


def test_without_receipts_what_the_broker_acknowledged_is_there_after_kills_of_ingestor_and_database(run: Run) -> None:
    killed, proof = run(without_receipts, Shape(gateways=1), Storm(kills=3, pause=0.8, seed=20260105))
    assert set(killed) == set(PLAIN_KINDS)
    assert proof.holds, proof
    assert proof.taken > 100
