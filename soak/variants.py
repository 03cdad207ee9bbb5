"""The two promises that are put to the proof: with receipts, and without them as far as a broker's QoS 1 goes."""

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from soak.chaos import Storm, calm, torment
from soak.installation import Installation, Shape, across_a_month, measuring
from soak.plain import PlainPublisher
from soak.proof import Proof, Taken, prove, recorded
from soak.victims import until

Outcome = tuple[Counter[str], Proof]
"""How often each kind was killed, and what was left."""

Variant = Callable[[Installation, Path, Shape, Storm], Outcome]
"""Lets a storm pass over an installation in a folder."""

KINDS = ("gateway", "ingestor", "broker", "database")

PLAIN_KINDS = ("ingestor", "database")
"""Without receipts a broker that is killed may lose what it acknowledged, and a publisher what was not sent yet."""

_SETTLES = 120.0


def with_receipts(installation: Installation, folder: Path, shape: Shape, storm: Storm) -> Outcome:
    """Gateways with buffers, and kills of everything: each reading that a gateway took is there once."""
    with measuring(installation, folder, shape):
        killed = torment(installation, KINDS, storm)
        calm(installation)
    with closing(installation.database()) as database:
        return killed, prove(database, recorded(installation.records))


def without_receipts(installation: Installation, _folder: Path, shape: Shape, storm: Storm) -> Outcome:
    """Plain publishers, and kills of ingestor and database: each reading that the broker acknowledged is there once."""
    url, since = installation.broker.broker.url, across_a_month().shown
    installation.await_hearing()
    publishers = [PlainPublisher(url, code, shape.plan, since) for code in shape.codes]
    try:
        killed = torment(installation, PLAIN_KINDS, storm)
    finally:
        acknowledged: Taken = {key: value for each in publishers for key, value in each.stop().items()}
    with closing(installation.database()) as database:

        def arrived() -> bool:
            installation.supervise()
            return not prove(database, acknowledged).lost

        until(arrived, _SETTLES, "what the broker acknowledged did not arrive")
        return killed, prove(database, acknowledged)
