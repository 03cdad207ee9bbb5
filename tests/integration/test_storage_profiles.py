"""The storage profiles that come with Coldtrail: written as they are, and never over what is there."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from inventory.domain.limits import ExcursionRule
from inventory.domain.profiles import EXCURSION_RULES, PROFILES
from inventory.domain.temperature import ABSOLUTE_ZERO, HIGHEST, centi
from inventory.domain.words import Side
from inventory.persistence import tables
from inventory.persistence.database import Database
from inventory.services import profiles, rules

MOST = 2**31 - 1
"""What a column of the rules holds."""


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as found:
        rules.seed(found)
        yield found


def test_each_profile_comes_back_with_its_band_and_its_limits(database: Database) -> None:
    listed = {each.code: each for each in profiles.list_profiles(database, None, 100).items}
    assert {code: (each.low, each.high) for code, each in listed.items()} == PROFILES
    for code, limits in EXCURSION_RULES.items():
        assert set(listed[code].limits) == set(limits)
        with database.read() as session:
            assert set(rules.excursion_rules(session, code)) == set(limits)


def test_seeding_again_keeps_what_was_changed(database: Database) -> None:
    thaw = (tables.ExcursionRule.profile_code == "frozen", tables.ExcursionRule.name == "THAW")

    def change(session: Session) -> None:
        session.execute(update(tables.ExcursionRule).where(*thaw).values(threshold=-500, window_seconds=3600))

    database.write(change)
    rules.seed(database)
    with database.read() as session:
        row = session.scalars(select(tables.ExcursionRule).where(*thaw)).one()
        assert (row.threshold, row.window_seconds) == (-500, 3600)


@pytest.mark.parametrize("code", PROFILES)
def test_each_shipped_profile_can_be_measured_kept_and_broken(code: str) -> None:
    low, high = PROFILES[code]
    assert centi(int(ABSOLUTE_ZERO)) <= low < high <= centi(HIGHEST)
    assert len({rule.name for rule in EXCURSION_RULES[code]}) == len(EXCURSION_RULES[code])
    for rule in EXCURSION_RULES[code]:
        assert not rule.broken_by((low + high) // 2)
        assert timedelta() < rule.duration <= (rule.window or rule.duration)
        assert abs(rule.threshold) <= MOST
        assert (rule.window or rule.duration).total_seconds() <= MOST


def test_a_window_that_can_never_be_full_is_refused(database: Database) -> None:
    hour = timedelta(hours=1)
    never = ExcursionRule("NEVER", Side.ABOVE, 800, inclusive=False, duration=hour, window=hour / 2)
    with pytest.raises(ValueError, match="NEVER"):
        database.write(lambda session: rules.add_profile(session, "never", 200, 800, [never]))
