"""Following a sensor reading by reading: when the newest one can change an excursion, and when it cannot.

Of all that was read only the runs beyond consecutive limits that the newest reading stands in are remembered. With
them it is known at each further reading, in order, whether an excursion is found, ended or changed: then all must be
judged (inventory.services.judgement). Else the verdicts stay as they are, but for what an open excursion grows by.

The cheapest case, and nearly all readings are of it, needs not even that: see `calm`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from inventory.domain.instants import counted, instant
from inventory.domain.limits import ExcursionRule
from inventory.domain.readings import Reading, Stretch, stretches
from inventory.domain.runs import Run
from inventory.domain.words import Side

Runs = Mapping[str, Run]
"""By the name of its rule, each run that the newest reading stands in; only of consecutive rules."""

Band = tuple[int, int]
"""The lowest and the highest temperature that break no rule, in hundredths of a degree Celsius."""

Counted = tuple[int, int]
"""A reading as plain numbers: microseconds since 1970, hundredths of a degree."""

PlainRun = tuple[int, int, int, int, int | None]
"""A run as plain numbers: started_at, extreme, seen, unseen, alarm_at; times in microseconds."""

LOWEST, HIGHEST = -(2**31), 2**31 - 1
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Step:
    """What further readings came to.

    `runs` are right in any case. `must_judge` says that an excursion is found, ended or otherwise changed.
    `grown` names the rules whose open excursion goes on: its `seen`, `unseen` and `extreme` are those of the run now.
    """

    runs: Runs
    must_judge: bool
    grown: frozenset[str]


def calm_band(rules: Iterable[ExcursionRule]) -> Band:
    """The temperatures, both ends included, that break none of the rules; empty (low > high) where there is none."""
    low, high = LOWEST, HIGHEST
    for rule in rules:
        if rule.side is Side.ABOVE:
            high = min(high, rule.threshold - rule.inclusive)
        else:
            low = max(low, rule.threshold + rule.inclusive)
    return low, high


def calm(latest: Counted, readings: Iterable[Counted], band: Band, held: int) -> bool:
    """Whether readings behind the newest one can neither begin, change nor end a run, an excursion or a silence.

    Then there were no runs and there are none, and nothing need be judged. A reading stands for `held` microseconds.
    """
    low, high = band
    before, temperature = latest
    if not low <= temperature <= high:
        return False
    for at, temperature in readings:
        if not low <= temperature <= high or at - before > held:
            return False
        before = at
    return True


def go_on(
    runs: Runs, latest: Reading | None, readings: Sequence[Reading], rules: Sequence[ExcursionRule], hold: timedelta
) -> Step:
    """Follow a sensor from its newest reading through further ones, sorted by time and all after it.

    `runs` are those that `latest` stands in; {} and None before the first reading of a watch. A gap longer than
    `hold` is a silence and must be judged. So must whatever touches a cumulative limit, for its sum is not remembered.
    The caller sees to what lies outside the readings: that all of them are in one watch, and the silence from its
    beginning to its first reading.
    """
    must_judge, grown = False, frozenset[str]()
    for reading in readings:
        step = _follow(runs, latest, reading, rules, hold)
        must_judge = must_judge or step.must_judge
        runs, latest, grown = step.runs, reading, grown | step.grown
    return Step(runs, must_judge, grown & runs.keys())


def anew(readings: Sequence[Reading], rules: Sequence[ExcursionRule], hold: timedelta) -> Runs:
    """The runs that the last of some sorted readings stands in.

    They begin at a reading within all limits, or with the first of the watch.
    """
    return go_on({}, None, readings, rules, hold).runs


def to_plain(runs: Runs) -> dict[str, PlainRun]:
    """The runs as values that JSON can hold; exact to the microsecond."""
    return {name: _plain(run) for name, run in runs.items()}


def from_plain(plain: Mapping[str, Sequence[int | None]]) -> Runs:
    """What `to_plain` was given."""
    return {name: _run(*values) for name, values in plain.items()}  # type: ignore[arg-type]


def _follow(
    runs: Runs, latest: Reading | None, reading: Reading, rules: Sequence[ExcursionRule], hold: timedelta
) -> Step:
    parts = [] if latest is None else list(stretches((latest, reading), hold))
    must_judge = len(parts) > 1 or _touches_a_sum(latest, reading, rules)
    found: dict[str, Run] = {}
    grown = set()
    for rule in rules:
        if rule.window is not None:
            continue
        before = runs.get(rule.name)
        stood, now = _further(before, parts, reading, rule)
        if now is not None:
            found[rule.name] = now
        if _alarmed(stood) or _alarmed(now):
            grown.add(rule.name)
            must_judge = must_judge or now is None or not _alarmed(before)
    return Step(found, must_judge, frozenset(grown))


def _touches_a_sum(latest: Reading | None, reading: Reading, rules: Iterable[ExcursionRule]) -> bool:
    """Whether time beyond a cumulative limit begins, goes on or ends here."""
    both = (reading,) if latest is None else (latest, reading)
    return any(rule.window is not None and rule.broken_by(each.temperature) for rule in rules for each in both)


def _further(
    run: Run | None, parts: Iterable[Stretch], reading: Reading, rule: ExcursionRule
) -> tuple[Run | None, Run | None]:
    """A run up to the instant of a reading, and the run that the reading itself stands in."""
    if run is not None:
        for part in parts:
            run = run.through(part, rule)
    if not rule.broken_by(reading.temperature):
        return run, None
    at, temperature = reading.measured_at, reading.temperature
    return run, (run or Run(at, temperature)).through(Stretch(at, at, temperature), rule)


def _alarmed(run: Run | None) -> bool:
    return run is not None and run.alarm_at is not None


def _plain(run: Run) -> PlainRun:
    alarm_at = None if run.alarm_at is None else counted(run.alarm_at)
    return counted(run.started_at), run.extreme, run.seen // MICROSECOND, run.unseen // MICROSECOND, alarm_at


def _run(started_at: int, extreme: int, seen: int, unseen: int, alarm_at: int | None) -> Run:
    alarm = None if alarm_at is None else instant(alarm_at)
    return Run(instant(started_at), extreme, seen * MICROSECOND, unseen * MICROSECOND, alarm)
