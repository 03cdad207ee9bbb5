"""What was said of an excursion stays readable: each change of a verdict is a version, and nobody is told twice."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from inventory.domain.errors import NotFound
from inventory.domain.limits import ExcursionRule
from inventory.domain.notices import NoticeKind
from inventory.domain.words import Side, VersionReason
from inventory.persistence import tables
from inventory.persistence.database import Database
from inventory.services import assignments, lookups, monitoring, notices, rules
from inventory.services.evidence import ExcursionSummary
from inventory.services.excursions import Version, get_excursion, list_excursions, list_versions
from tests.county import HOUR, MINUTE, NOW, build, message

FOUND, ENDED, EXTENDED = VersionReason.FOUND, VersionReason.ENDED, VersionReason.EXTENDED
SHORTENED, SPLIT, MERGED = VersionReason.SHORTENED, VersionReason.SPLIT, VersionReason.MERGED
CANCELLED, RESUMED, WATCH_CHANGED = VersionReason.CANCELLED, VersionReason.RESUMED, VersionReason.WATCH_CHANGED

SENSOR = "S-BOX"
START = NOW - 10 * HOUR
SUM = ExcursionRule("HOT-SUM", Side.ABOVE, 800, inclusive=False, duration=20 * MINUTE, window=45 * MINUTE)


def at(minute: int) -> datetime:
    return START + minute * MINUTE


class Story:
    """A sensor that nothing is known of, what it says, and what is made of it; each word a minute after the other."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW

    def warm(self, *minutes: int) -> None:
        self._say(900, minutes)

    def calm(self, *minutes: int) -> None:
        self._say(500, minutes)

    def _say(self, temperature: int, minutes: tuple[int, ...]) -> None:
        self.now += MINUTE
        chunk = [message([(SENSOR, at(each), temperature) for each in minutes])]
        monitoring.record(self.database, chunk, self.now)

    def watched_from(self, minute: int) -> None:
        self.now += MINUTE

        def work(session: Session) -> None:
            room = session.scalars(select(tables.Appliance).where(tables.Appliance.code == "CITY-ROOM")).one()
            sensor = lookups.sensor(session, SENSOR)
            assignments.watch_appliance(session, sensor, room, at(minute), self.now)

        self.database.write(work)

    def judged_by(self, *limits: ExcursionRule) -> None:
        def work(session: Session) -> None:
            rules.add_profile(session, "own", 200, 800, limits)
            session.execute(update(tables.Sensor).where(tables.Sensor.serial == SENSOR).values(profile_code="own"))

        self.database.write(work)

    @property
    def excursions(self) -> list[ExcursionSummary]:
        """All but the silences, those taken back too, by their start."""
        found = list_excursions(self.database, SENSOR, False, None, 100).items
        return [each for each in found if each.side is not Side.SILENCE]

    @property
    def only(self) -> ExcursionSummary:
        (found,) = self.excursions
        return found

    def versions(self, excursion: UUID) -> tuple[Version, ...]:
        return list_versions(self.database, excursion)

    def reasons(self, excursion: UUID) -> list[VersionReason]:
        return [each.reason for each in self.versions(excursion)]

    @property
    def told(self) -> int:
        return len(notices.list_notices(self.database, None, NoticeKind.EXCURSION, None, 1000).items)


@pytest.fixture
def story(database_url: str) -> Iterator[Story]:
    with closing(Database(database_url)) as database:
        build(database)
        yield Story(database)


def test_it_is_found_goes_on_without_a_word_and_ends(story: Story) -> None:
    story.warm(*range(0, 35, 5))
    found = story.only
    story.warm(35, 40)
    assert (story.only.seen, story.only.version, story.reasons(found.id)) == (40 * MINUTE, 1, [FOUND])
    story.calm(45)
    first, last = story.versions(found.id)
    assert (first.version, first.reason, first.recorded_at, first.ended_at) == (1, FOUND, NOW + MINUTE, None)
    assert (first.seen, first.extreme) == (30 * MINUTE, 900)
    assert (last.version, last.reason, last.recorded_at, last.ended_at) == (2, ENDED, story.now, at(45))
    assert (last.seen, last.started_at, last.alarm_at) == (45 * MINUTE, at(0), at(30))
    assert (story.only.version, story.told) == (2, 1)


def test_the_same_again_is_no_version(story: Story) -> None:
    for _ in range(3):
        story.warm(*range(0, 40, 5))
        story.calm(40)
    assert story.reasons(story.only.id) == [FOUND, ENDED]


def test_it_is_extended_and_shortened_by_what_comes_late(story: Story) -> None:
    story.warm(*range(0, 75, 5))
    story.calm(75)
    story.warm(-5)
    story.calm(62)
    assert story.reasons(story.only.id) == [FOUND, ENDED, EXTENDED, SHORTENED]
    spans = [(each.started_at, each.ended_at) for each in story.versions(story.only.id)]
    assert spans == [(at(0), None), (at(0), at(75)), (at(-5), at(75)), (at(-5), at(62))]
    assert story.told == 1


def test_it_is_split_and_stays_the_longer_part(story: Story) -> None:
    story.warm(*range(0, 75, 5))
    story.calm(75)
    whole = story.only
    story.calm(32)
    shorter, longer = story.excursions
    assert (longer.id, longer.started_at, longer.ended_at) == (whole.id, at(35), at(75))
    assert story.reasons(longer.id) == [FOUND, ENDED, SPLIT]
    assert (shorter.started_at, shorter.ended_at, story.reasons(shorter.id)) == (at(0), at(32), [FOUND])
    assert story.told == 2


def test_what_was_taken_back_is_still_there_to_be_read(story: Story) -> None:
    story.warm(*range(0, 35, 5))
    story.calm(35)
    story.calm(12)
    gone = story.only
    *_, before, last = story.versions(gone.id)
    assert (gone.cancelled_at, last.recorded_at, last.reason) == (story.now, story.now, CANCELLED)
    assert (before.version, last.version, gone.version) == (2, 3, 3)
    assert (last.started_at, last.ended_at, last.seen) == (before.started_at, before.ended_at, before.seen)
    assert list_excursions(story.database, SENSOR, True, None, 100).items == []


def test_what_was_taken_back_and_is_there_again_is_the_same_and_is_not_told_again(story: Story) -> None:
    story.warm(*range(0, 35, 5))
    found = story.only
    story.calm(12)
    assert story.only.cancelled_at == story.now
    story.warm(35, 40, 45, 50)
    again = story.only
    assert (again.id, again.cancelled_at, again.started_at) == (found.id, None, at(15))
    assert story.reasons(found.id) == [FOUND, CANCELLED, RESUMED]
    assert story.told == 1


def test_what_was_taken_back_while_it_went_on_is_not_what_comes_hours_later(story: Story) -> None:
    story.warm(*range(0, 35, 5))
    story.calm(12, 35)
    story.warm(*range(200, 240, 5))
    gone, other = story.excursions
    assert (gone.ended_at, gone.cancelled_at, story.reasons(gone.id)) == (None, NOW + 2 * MINUTE, [FOUND, CANCELLED])
    assert (other.started_at, other.cancelled_at, story.reasons(other.id)) == (at(200), None, [FOUND])
    assert story.told == 2


def test_two_by_a_sum_are_merged_by_what_lay_between_them(story: Story) -> None:
    story.judged_by(SUM)
    story.warm(0, 5, 10, 15, 60, 65, 70, 75)
    story.calm(20, 25, 30, 50, 55, 80)
    one, other = story.excursions
    assert [(each.started_at, each.ended_at, each.window) for each in (one, other)] == [
        (at(0), at(20), SUM.window),
        (at(60), at(80), SUM.window),
    ]
    story.warm(35, 40, 45)
    kept, gone = sorted(story.excursions, key=lambda each: each.cancelled_at is not None)
    assert (kept.started_at, kept.alarm_at, kept.ended_at, kept.seen) == (at(0), at(20), at(80), 55 * MINUTE)
    assert {kept.id, gone.id} == {one.id, other.id}
    assert gone.cancelled_at == story.now
    assert story.reasons(kept.id)[-1] is MERGED
    assert story.reasons(gone.id)[-1] is MERGED
    assert story.told == 2
    story.warm(85)
    story.calm(90)
    assert story.reasons(kept.id)[-3:] == [MERGED, RESUMED, ENDED]
    assert story.reasons(gone.id)[-1] is MERGED


def test_a_sum_is_resumed_by_another_spell_in_its_window(story: Story) -> None:
    story.judged_by(SUM)
    story.warm(0, 5, 10, 15, 20)
    story.calm(25, 30)
    story.warm(35)
    assert (story.only.ended_at, story.reasons(story.only.id)) == (None, [FOUND, ENDED, RESUMED])


def test_what_a_watch_that_becomes_known_changes_says_so(story: Story) -> None:
    story.warm(*range(0, 75, 5))
    story.calm(75)
    story.watched_from(20)
    assert (story.only.started_at, story.reasons(story.only.id)) == (at(20), [FOUND, ENDED, WATCH_CHANGED])


def test_what_was_before_the_first_watch_is_taken_back_when_that_becomes_known(story: Story) -> None:
    story.warm(*range(0, 75, 5))
    story.calm(75)
    story.watched_from(120)
    assert story.only.cancelled_at == story.now
    assert story.reasons(story.only.id) == [FOUND, ENDED, CANCELLED]


def test_an_excursion_that_is_not_known_has_no_versions(story: Story) -> None:
    with pytest.raises(NotFound):
        list_versions(story.database, uuid4())
    with pytest.raises(NotFound):
        get_excursion(story.database, uuid4())
