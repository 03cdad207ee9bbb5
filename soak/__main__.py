"""`python -m soak`: kill everything again and again, for as long as asked; a line of JSON for each variant says it."""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from coldtrail.broker import mosquitto_path
from soak.chaos import Storm
from soak.installation import Shape, divided, installed
from soak.variants import Outcome, Variant, with_receipts, without_receipts
from tests.services import free_port, postgres_binaries

VARIANTS: dict[str, tuple[Variant, float]] = {"receipts": (with_receipts, 0.75), "plain": (without_receipts, 0.25)}
"""Each with its share of the kills and of the time."""


def main() -> int:
    """All variants, one after the other; 1 where anything was lost, 2 where there is nothing to be killed."""
    given = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended, too
    binaries = postgres_binaries()
    if binaries is None or mosquitto_path() is None:
        sys.stderr.write("a PostgreSQL server and Mosquitto have to be installed\n")
        return 2
    shape = Shape(given.gateways, given.sensors, divided(given.workers))
    held = [_run(name, given, binaries, shape) for name in given.variants]
    return 0 if all(held) else 1


def _run(name: str, given: argparse.Namespace, binaries: Path, shape: Shape) -> bool:
    """One variant in a folder of its own, which stays where something was lost."""
    variant, share = VARIANTS[name]
    began, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="coldtrail-soak-"))
    folder.chmod(0o755)
    sys.stderr.write(f"{name}: in {folder}\n")
    with installed(binaries, folder, free_port(), shape) as installation:
        storm = Storm(max(1, round(given.kills * share)), given.minutes * 60 * share, given.seed)
        outcome = variant(installation, folder, shape, storm)
        restarts = sum(worker.restarts for worker in installation.workers)
    if outcome[1].holds:
        shutil.rmtree(folder)
    return _say(name, given.seed, outcome, restarts, round(time.monotonic() - began))


def _say(name: str, seed: int, outcome: Outcome, restarts: int, seconds: int) -> bool:
    killed, proof = outcome
    kills = {"kills": dict(sorted(killed.items())), "restarts": restarts}
    line = {"variant": name, "seed": seed, "seconds": seconds, **kills, **asdict(proof), "holds": proof.holds}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return proof.holds


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="of all variants together")
    parser.add_argument("--minutes", type=float, default=10.0, help="the longest that kills go on, in all")
    parser.add_argument("--seed", type=int, default=1, help="what dies and when")
    parser.add_argument("--gateways", type=int, default=2)
    parser.add_argument("--sensors", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2, choices=(1, 2, 4, 8))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
