"""How fast an offline audit is: `python -m bench.audit` prints one JSON line.

A whole log of leaves is written to a file as `coldtrail export trail --whole-log` writes it, with receipts, dispatches
and administrations, and audited by `coldtrail audit` in a process of its own, whose time and memory are measured.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from inventory.domain.checkpoints import Checkpoint
from inventory.domain.leaves import FactKind, canonical
from inventory.domain.merkle import Frontier, leaf_hash
from inventory.services.ids import new_id
from inventory.services.log import keys
from inventory.services.log.audit import FORMAT, LOG
from inventory.services.log.keys import SigningKey

LEAVES = 1_000_000
GIVEN = 20
"""Administrations out of each custody at a site, so that a custody is opened for each eleventh leaf."""

MOST_SECONDS = 60.0
MOST_MEGABYTES = 300.0

_SINCE = datetime(2026, 1, 5, 4, tzinfo=UTC)
_FACILITY, _TOKEN, _PLACE = (str(new_id()) for _ in range(3))


class Batches:
    """Leaves as a county makes them: a delivery is received, sent to a site, received there, and given."""

    def __init__(self) -> None:
        self._numbers: dict[UUID, int] = {}

    def leaves(self) -> Iterator[bytes]:
        """Without end."""
        while True:
            batch, name = new_id(), f"B{len(self._numbers)}"
            for _ in range(50):
                custody = None
                for kind in ("receive", "dispatch", "receive"):
                    custody, leaf = self._passed_on(batch, name, kind, custody)
                    yield leaf
                for _ in range(GIVEN):
                    yield self._leaf(
                        batch, name, "administer", [], {"from_custody_id": custody, "end_kind": "administered"}, 1
                    )

    def _passed_on(self, batch: UUID, name: str, kind: str, parent: str | None) -> tuple[str, bytes]:
        custody = str(new_id())
        source = {"parent_id": parent} if parent else {"origin": "supplied"}
        opened = source | {"id": custody, "location_id": _PLACE, "opened_at": _stated(), "doses": GIVEN}
        way = {"to_custody_id": custody} | ({"from_custody_id": parent} if parent else {})
        return custody, self._leaf(batch, name, kind, [opened], way, GIVEN)

    def _leaf(
        self, batch: UUID, name: str, kind: str, custodies: list[dict[str, Any]], way: dict[str, Any], doses: int
    ) -> bytes:
        number = self._numbers[batch] = self._numbers.get(batch, 0) + 1
        event = {"id": str(new_id()), "batch_id": str(batch), "kind": kind, "facility_id": _FACILITY,
                 "occurred_at": _stated(), "recorded_at": _stated(), "actor_id": _TOKEN}  # fmt: skip
        line = way | {"id": str(new_id()), "doses": doses, "occurred_at": _stated(), "chosen": "picked"}
        clocks = [
            {
                "custody_id": each["id"],
                "name": "use",
                "rule_set": "double-24",
                "opened_at": _stated(),
                "due_at": _stated(),
            }
            for each in custodies
        ]
        facts = {"event": event, "gtin": "06901234567892", "batch": name, "movements": [line], "custodies": custodies,
                 "deadlines": clocks}  # fmt: skip
        return canonical(FactKind.STOCK_EVENT, batch, number, facts)


def _stated() -> str:
    return "2026-01-05T04:00:00.123456Z"


def write(file: Path, leaves: int, key: SigningKey) -> None:
    """Write a file of a whole log."""
    body, tree = file.with_suffix(".body"), Frontier()
    made = Batches().leaves()
    with body.open("wb") as lines:
        for _ in range(leaves):
            leaf = next(made)
            tree.add(0, leaf_hash(leaf))
            lines.write(leaf + b"\n")
    note = Checkpoint(key.verifier.name, leaves, tree.root(), _SINCE + timedelta(hours=1)).signed(
        key.verifier, key.sign
    )
    head = {"format": FORMAT, "subject": {"of": LOG}, "checkpoint": note}
    with file.open("wb") as whole, body.open("rb") as lines:
        whole.write(json.dumps(head).encode() + b"\n")
        while part := lines.read(1 << 20):
            whole.write(part)
    body.unlink()


def measure(leaves: int = LEAVES) -> dict[str, object]:
    """The line of the measure: seconds and megabytes of an audit, and whether that is little enough."""
    with tempfile.TemporaryDirectory() as folder:
        file, key = Path(folder) / "log.proof", keys.generate("coldtrail.example.org/bench")
        write(file, leaves, key)
        seconds, megabytes = _audited(file, key)
        size = file.stat().st_size
    return {
        "measure": "audit",
        "leaves": leaves,
        "file_megabytes": round(size / 1e6, 1),
        "seconds": round(seconds, 2),
        "most_seconds": MOST_SECONDS,
        "megabytes": round(megabytes, 1),
        "most_megabytes": MOST_MEGABYTES,
        "holds": seconds < MOST_SECONDS and megabytes < MOST_MEGABYTES,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }


def _audited(file: Path, key: SigningKey) -> tuple[float, float]:
    """How long `coldtrail audit` took, start included, and the most memory that it held, in megabytes."""
    command = [sys.executable, "-m", "coldtrail", "audit", str(file), "--key", str(key.verifier)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    megabytes = 0.0
    while process.poll() is None:
        megabytes = max(megabytes, _peak(process.pid))
        time.sleep(0.02)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"coldtrail audit ended with {process.returncode}")
    return seconds, megabytes


def _peak(pid: int) -> float:
    """The most memory that a process has held since its program began; its resource usage counts its parent's, too."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


@click.command()
@click.option("--leaves", default=LEAVES, show_default=True, help="of the log")
def main(leaves: int) -> None:
    """Measure an offline audit; exits with 1 where it takes too long, or too much memory."""
    line = measure(leaves)
    click.echo(json.dumps(line))
    raise SystemExit(0 if line["holds"] else 1)


if __name__ == "__main__":
    main()
