"""What is in the outbox goes out: at least once, in the ordinary case exactly once, and again where it failed."""

import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from coldtrail.channels import NotSent, Send
from coldtrail.mail import Mail, MailSettings, Security, SmtpServer
from coldtrail.mail_texts import Language
from coldtrail.watching import Watch
from coldtrail.webhook import Webhook, WebhookSettings
from inventory.domain.errors import Code, Unavailable
from inventory.domain.notices import FIRST_DELAY, GIVE_UP, Channel, NoticeKind, key
from inventory.persistence.database import Database
from inventory.services import notice_delivery, notices, outbox
from inventory.services.notices import DeliveryView, NoticeView
from tests.county import NOW, SetClock, build
from tests.e2e.processes import until
from tests.http import serving
from tests.receivers import Receiver, mailbox, receiving
from tests.services import LOOPBACK, SqliteTemplate, sqlite_url

SECOND = timedelta(seconds=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    yield found
    found.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def put(database: Database, count: int = 1, now: datetime = NOW) -> None:
    """Notices of no kind that a round finds by itself."""
    for number in range(count):
        facts = {"batch": f"B{number}", "doses": 1}
        name = key("test", number, now)
        database.write(lambda s, n=name, f=facts: outbox.put(s, NoticeKind.RECALL, n, outbox.NOWHERE, f, now))  # type: ignore[misc]


def webhook(receiver: Receiver) -> Send:
    return Webhook(WebhookSettings(receiver.url, "a secret of ours"), lambda: NOW, 5.0).send


def deliveries(database: Database) -> list[DeliveryView]:
    return [each for told in notices.list_notices(database, None, None, None, 1000).items for each in told.deliveries]


def ids(receiver: Receiver) -> Counter[str]:
    return Counter(hit.headers["Coldtrail-Notice-Id"] for hit in receiver.hits)


def test_what_was_sent_is_never_sent_again(database: Database, receiver: Receiver) -> None:
    clock = SetClock()
    put(database, 3)
    watch = Watch(database, {Channel.WEBHOOK: webhook(receiver)}, clock)
    for _ in range(3):
        watch.round()
        clock.at += timedelta(hours=10)
    assert sorted(ids(receiver).values()) == [1, 1, 1]
    assert {(each.attempts, each.sent_at, each.next_attempt_at) for each in deliveries(database)} == {(1, NOW, None)}


def test_a_failure_is_tried_again_after_the_back_off_and_not_before(database: Database, receiver: Receiver) -> None:
    clock = SetClock()
    put(database)
    receiver.statuses = [500, 500, 200]
    watch = Watch(database, {Channel.WEBHOOK: webhook(receiver)}, clock)
    hits = []
    for at in (0, 29, 30, 89, 90, 10_000):
        clock.at = NOW + at * SECOND
        watch.round()
        hits.append(len(receiver.hits))
    assert hits == [1, 1, 2, 2, 3, 3]
    (delivery,) = deliveries(database)
    assert (delivery.attempts, delivery.sent_at, delivery.last_error) == (3, NOW + 90 * SECOND, None)
    assert sorted(ids(receiver).values()) == [3], "another id for the same notice"


def test_what_failed_says_why_and_when_it_is_tried_again(database: Database, receiver: Receiver) -> None:
    put(database)
    receiver.statuses = [503]
    Watch(database, {Channel.WEBHOOK: webhook(receiver)}, SetClock()).round()
    (delivery,) = deliveries(database)
    assert delivery == DeliveryView(Channel.WEBHOOK, 1, NOW + FIRST_DELAY, None, None, "answered with status 503")


def test_what_nobody_takes_for_days_is_given_up(database: Database) -> None:
    clock = SetClock()
    put(database)
    tried: list[datetime] = []

    def refuse(_: NoticeView) -> None:
        tried.append(clock.at)
        raise NotSent("no")

    watch = Watch(database, {Channel.WEBHOOK: refuse}, clock)
    while clock.at < NOW + GIVE_UP + timedelta(days=1):
        watch.round()
        clock.at += timedelta(minutes=30)
    assert tried[-1] <= NOW + GIVE_UP
    (delivery,) = deliveries(database)
    assert (delivery.gave_up_at, delivery.next_attempt_at) == (tried[-1], None)
    assert delivery.attempts == len(tried) > 50


def test_a_channel_that_fails_holds_up_neither_the_other_nor_the_rest_of_its_own(
    database: Database, receiver: Receiver
) -> None:
    put(database, 4)
    receiver.statuses = [500, 200]
    with mailbox() as box:
        server = SmtpServer(LOOPBACK, box.port, Security.NONE)
        mail = Mail(MailSettings(server, "a@example.org", ("b@example.org",), Language.ENGLISH))
        watch = Watch(database, {Channel.WEBHOOK: webhook(receiver), Channel.MAIL: mail.send}, SetClock())
        watch.round()
        assert (len(receiver.hits), len(box.mails)) == (1, 4)
        watch.round()
    assert (len(receiver.hits), len(ids(receiver))) == (4, 4)


def test_a_notice_that_cannot_be_written_does_not_keep_the_others_from_it(database: Database) -> None:
    put(database, 3)
    sent: list[str] = []

    def send(notice: NoticeView) -> None:
        if notice.body["batch"] == "B0":
            raise KeyError("batch")
        sent.append(notice.body["batch"])

    watch = Watch(database, {Channel.WEBHOOK: send}, SetClock())
    watch.round()
    watch.round()
    assert sent == ["B1", "B2"]
    assert {each.last_error for each in deliveries(database)} == {"KeyError", None}


def test_two_watches_at_once_send_each_notice_once(database: Database, database_url: str, receiver: Receiver) -> None:
    put(database, 30)

    def watch(_: int) -> None:
        own = Database(database_url)
        try:
            Watch(own, {Channel.WEBHOOK: webhook(receiver)}, SetClock()).round()
        finally:
            own.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(watch, range(4)))
    assert len(ids(receiver)) == 30
    assert set(ids(receiver).values()) == {1}


def test_two_watches_find_each_deadline_and_silence_once(database: Database, database_url: str) -> None:
    build(database)

    def watch(_: int) -> None:
        own = Database(database_url)
        try:
            Watch(own, {}, SetClock()).round()
        finally:
            own.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(watch, range(4)))
    assert len(notices.list_notices(database, None, None, None, 100).items) == 3


def test_what_a_watch_claimed_that_died_is_tried_again_by_another(database: Database, receiver: Receiver) -> None:
    clock = SetClock()
    put(database)
    notice_delivery.take_up(database, Channel.WEBHOOK, NOW)
    dead = notice_delivery.claim(database, Channel.WEBHOOK, NOW)
    assert dead is not None
    watch = Watch(database, {Channel.WEBHOOK: webhook(receiver)}, clock)
    clock.at = NOW + notice_delivery.LEASE - SECOND
    watch.round()
    assert receiver.hits == []
    clock.at = NOW + notice_delivery.LEASE
    watch.round()
    assert len(receiver.hits) == 1
    notice_delivery.mark_failed(database, dead, "it was not dead, but slow", clock.at)
    (delivery,) = deliveries(database)
    assert (delivery.attempts, delivery.sent_at, delivery.last_error) == (2, clock.at, None)


def test_a_claim_that_another_has_overtaken_can_still_say_that_it_was_sent(database: Database) -> None:
    put(database)
    notice_delivery.take_up(database, Channel.WEBHOOK, NOW)
    slow = notice_delivery.claim(database, Channel.WEBHOOK, NOW)
    later = NOW + notice_delivery.LEASE
    fast = notice_delivery.claim(database, Channel.WEBHOOK, later)
    assert slow is not None
    assert fast is not None
    notice_delivery.mark_sent(database, slow, later)
    notice_delivery.mark_failed(database, fast, "no", later)
    (delivery,) = deliveries(database)
    assert (delivery.sent_at, delivery.next_attempt_at) == (later, None)


def test_a_channel_that_is_new_is_not_told_of_what_is_long_past(database: Database, receiver: Receiver) -> None:
    put(database, 1, NOW - GIVE_UP - SECOND)
    put(database, 2, NOW - GIVE_UP)
    Watch(database, {Channel.WEBHOOK: webhook(receiver)}, SetClock()).round()
    assert len(receiver.hits) == 2


def test_the_state_of_each_delivery_can_be_read(database: Database, receiver: Receiver) -> None:
    county = build(database)
    put(database)
    receiver.statuses = [500]
    Watch(database, {Channel.WEBHOOK: webhook(receiver)}, SetClock()).round()
    with serving(county) as server:
        (found,) = server.client.get("/notices", kind="recall").items
    assert found["deliveries"] == [
        {
            "channel": "webhook",
            "attempts": 1,
            "next_attempt_at": "2026-01-05T04:00:30Z",
            "sent_at": None,
            "gave_up_at": None,
            "last_error": "answered with status 500",
        }
    ]


def test_a_database_that_is_away_is_waited_for(
    sqlite_template: SqliteTemplate, tmp_path: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "folder" / "coldtrail.db"
    database = Database(sqlite_url(file))
    watch = Watch(database, {Channel.WEBHOOK: webhook(receiver)}, SetClock())
    thread = Thread(target=watch.run, args=(0.02,))
    thread.start()
    try:
        until(lambda: "database is away" in caplog.text)
        file.parent.mkdir()
        shutil.copyfile(sqlite_template.file, file)
        put(database)
        until(lambda: len(receiver.hits) == 1)
    finally:
        watch.stop.set()
        thread.join()
        database.close()


def test_a_watch_beats_after_a_good_round_and_not_after_one_that_failed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, rounds, beats = Watch(database, {}, SetClock()), list[int](), list[int]()

    def round_() -> None:
        rounds.append(len(rounds))
        if len(rounds) < 3:
            raise Unavailable(Code.DATABASE_AWAY, "database", None, "a database")

    def beat() -> None:
        beats.append(len(rounds))
        watch.stop.set()

    monkeypatch.setattr(watch, "round", round_)
    watch.run(0.01, beat)
    assert beats == [3]
