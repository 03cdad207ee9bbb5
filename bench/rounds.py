"""Two things measured in turns, so that what else the machine does falls on both, and what is said of them."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.load import Address, Round, drive

CONNECTIONS = 16
"""As many as keep every thread of a server busy, twice."""

WARM_UP = 2
"""Rounds of each that are not counted: plans are made, caches filled, workers started."""

PACKAGES = ("flask", "gunicorn", "marshmallow", "psycopg", "sqlalchemy")


@dataclass(frozen=True)
class Contender:
    """One of the two: where it is asked, what, and how many doses (or answers) a request of it is worth."""

    name: str
    address: Address
    next_request: Callable[[], bytes]
    worth: int = 1
    connections: int = CONNECTIONS

    def round(self, seconds: float) -> Round:
        """Drive it for a while."""
        return drive(self.address, self.next_request, self.connections, seconds)


def in_turns(first: Contender, second: Contender, rounds: int, seconds: float) -> list[tuple[Round, Round]]:
    """Rounds of one against the other, each pair in the other order than the pair before."""
    found = []
    for number in range(-WARM_UP, rounds):
        if number % 2:
            later = second.round(seconds)
            pair = first.round(seconds), later
        else:
            pair = first.round(seconds), second.round(seconds)
        if number >= 0:
            found.append(pair)
    return found


def comparison(first: Contender, second: Contender, rounds: int, seconds: float) -> dict[str, object]:
    """The median of what the first did for each that the second did in the same pair of rounds, and the spread."""
    pairs = in_turns(first, second, rounds, seconds)
    ratios = sorted(one.rate * first.worth / (two.rate * second.worth) for one, two in pairs)
    return {
        "ratio": round(median(ratios), 3),
        "spread": [round(ratios[0], 3), round(ratios[-1], 3)],
        "rates": {
            first.name: round(median(one.rate for one, _ in pairs) * first.worth, 1),
            second.name: round(median(two.rate for _, two in pairs) * second.worth, 1),
        },
        "rounds": rounds,
        "seconds": seconds,
        "connections": first.connections,
        "client_share": round(max(each.client_share for pair in pairs for each in pair), 2),
    }


def machine(postgres: str) -> dict[str, object]:
    """What was measured on, and the versions."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "postgresql": postgres,
        **{name: version(name) for name in PACKAGES},
    }
