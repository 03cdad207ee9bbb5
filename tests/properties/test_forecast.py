"""Laws of the forecast, for any queue, pace, hours and due times."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.forecast import Basis, Rate, Worker
from inventory.domain.hours import WorkingDay

NOW = datetime(2026, 1, 5, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

days = st.builds(WorkingDay, st.sampled_from(["Asia/Shanghai", "Europe/London", "UTC"]),
                 st.sampled_from([None, "17:30", "00:00", "06:00"]))  # fmt: skip
rates = st.builds(Rate, st.integers(1, 500), st.integers(30, 1440).map(lambda each: each * MINUTE), st.just(Basis.PACE))
workers = st.builds(Worker, days, rates, st.integers(0, 1440).map(lambda each: NOW + each * MINUTE))
dues = st.integers(-600, 4000).map(lambda each: NOW + each * MINUTE)
doses = st.integers(1, 400)


@given(workers, st.integers(0, 400), doses, dues)
def test_late_doses_are_never_more_than_there_are(worker: Worker, before: int, left: int, due: datetime) -> None:
    found = worker.forecast(before, left, due)
    assert found.doses_late is not None
    assert 0 <= found.doses_late <= left
    assert (found.doses_late == 0) == (found.done_at is not None and found.done_at <= due)
    assert found.doses_late == left - worker.in_time(before, left, due)


@given(workers, st.integers(0, 400), doses, dues)
def test_each_dose_that_is_in_time_is_done_when_due_and_the_next_is_not(
    worker: Worker, before: int, left: int, due: datetime
) -> None:
    in_time = worker.in_time(before, left, due)
    if in_time:
        last = worker.done(before + in_time, worker.now)
        assert last is not None
        assert last <= due
    if in_time < left and due > worker.now:
        following = worker.done(before + in_time + 1, worker.now)
        assert following is None or following > due


@given(workers, st.integers(1, 300), st.integers(0, 400), doses, dues)
def test_a_faster_pace_is_never_later(worker: Worker, more: int, before: int, left: int, due: datetime) -> None:
    assert worker.rate is not None
    faster = Worker(worker.day, Rate(worker.rate.doses + more, worker.rate.per, Basis.PACE), worker.now)
    slow, fast = worker.forecast(before, left, due), faster.forecast(before, left, due)
    assert known(fast.done_at) <= known(slow.done_at)
    assert fast.doses_late is not None
    assert slow.doses_late is not None
    assert fast.doses_late <= slow.doses_late


@given(workers, st.lists(doses, min_size=1, max_size=6), dues)
def test_the_late_of_a_sites_clocks_are_the_late_of_the_whole(worker: Worker, parts: list[int], due: datetime) -> None:
    late = [worker.forecast(sum(parts[:at]), left, due).doses_late or 0 for at, left in enumerate(parts)]
    assert sum(late) == worker.forecast(0, sum(parts), due).doses_late


@given(days, st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3000))
def test_working_time_adds_up(day: WorkingDay, first: int, second: int, third: int) -> None:
    a, b, c = sorted([first, second, third])
    at: Any = [NOW + each * MINUTE for each in (a, b, c)]
    assert day.worked(at[0], at[1]) + day.worked(at[1], at[2]) == day.worked(at[0], at[2])
    work = day.worked(at[0], at[2])
    reached = day.after(at[0], work)
    assert reached is not None
    assert reached <= at[2]
    assert day.worked(at[0], reached) == work


def known(at: datetime | None) -> datetime:
    return at or datetime.max.replace(tzinfo=UTC)
