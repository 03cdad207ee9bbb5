"""Kills at random moments, and what is left when all has calmed down."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from soak.installation import Installation
from soak.victims import Command, Victim, until

_SETTLES = 240.0
"""Seconds for the last receipts, after the last kill."""


@dataclass(frozen=True)
class Storm:
    """So many kills, or so many seconds of them, whichever ends first; `seed` says what dies and when.

    `pause` is the longest time between two kills, in seconds.
    """

    kills: int
    seconds: float = 600.0
    seed: int = 1
    pause: float = 2.5


def torment(installation: Installation, kinds: Sequence[str], storm: Storm) -> Counter[str]:
    """Kill one thing after another at random moments and start it again; how many of each kind.

    The next kill may come before the last one has been recovered from.
    """
    chance, ends, killed = random.Random(storm.seed), time.monotonic() + storm.seconds, Counter[str]()
    for kind in _deck(kinds, storm.kills, chance):
        time.sleep(chance.uniform(0.1, storm.pause))
        if time.monotonic() > ends:
            break
        _kill(chance.choice([each for each in installation.victims if each.kind == kind]), chance)
        killed[kind] += 1
        installation.supervise()
    return killed


def _deck(kinds: Sequence[str], kills: int, chance: random.Random) -> Iterator[str]:
    """Each kind as often as the others, in an order that nobody knows."""
    deck = [kinds[number % len(kinds)] for number in range(kills)]
    chance.shuffle(deck)
    yield from deck


def _kill(victim: Victim, chance: random.Random) -> None:
    victim.kill()
    time.sleep(chance.uniform(0.0, 0.5))
    victim.revive()


def calm(installation: Installation) -> None:
    """Let the gateways measure no more and hear their last receipts, while all else runs.

    Raises:
        RuntimeError: a gateway did not get all its receipts in time.
    """
    _running(installation)
    for gateway in installation.gateways:
        gateway.ask_to_end()

    def ended() -> bool:
        _supervise(installation.workers)
        return all(gateway.ended() is not None for gateway in installation.gateways)

    until(ended, _SETTLES, "the gateways did not get their receipts")
    if any(gateway.ended() for gateway in installation.gateways):
        raise RuntimeError("a gateway did not get its receipts; see gateways.log")


def _running(installation: Installation) -> None:
    """Wait until each gateway measures again: one that has just been started would not hear that it is to end."""
    before = [record.stat().st_size for record in installation.records]

    def grown() -> bool:
        installation.supervise()
        return all(record.stat().st_size > size for record, size in zip(installation.records, before, strict=True))

    until(grown, why="a gateway does not measure")


def _supervise(commands: Sequence[Command]) -> None:
    for command in commands:
        command.supervise()
