"""Notices to a real HTTP server: what it gets, and what counts as having got it."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from coldtrail.channels import NotSent
from coldtrail.webhook import Webhook, WebhookSettings, signature
from inventory.domain.notices import NoticeKind
from inventory.services.notices import NoticeView
from tests.county import NOW
from tests.receivers import Hit, Receiver, receiving, self_signed
from tests.services import LOOPBACK, free_port

SECRET = "a secret of the receiver's and ours"
NOTICE = NoticeView(
    UUID("01890000-0000-7000-8000-000000000001"), NoticeKind.MISSED, "SITE-A", {"batch": "批号", "doses": 3}, NOW
)
TOLERANCE = 300
"""Seconds; what receivers are told to allow in docs/operating.md."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def webhook(url: str, answer_seconds: float = 5.0) -> Webhook:
    return Webhook(WebhookSettings(url, SECRET), lambda: NOW, answer_seconds)


def is_ours(hit: Hit, secret: str, now: float) -> bool:
    """What a receiver does, written from the documentation and not with our code."""
    parts = dict(part.split("=", 1) for part in hit.headers["Coldtrail-Signature"].split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + hit.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"]) and abs(now - int(parts["t"])) <= TOLERANCE


def test_a_notice_is_posted_as_json_with_its_id(receiver: Receiver) -> None:
    webhook(receiver.url).send(NOTICE)
    (hit,) = receiver.hits
    assert hit.path == "/hook?from=coldtrail"
    assert hit.headers["Content-Type"] == "application/json"
    assert hit.headers["Coldtrail-Notice-Id"] == str(NOTICE.id)
    assert json.loads(hit.body) == {
        "id": str(NOTICE.id),
        "kind": "deadline-missed",
        "facility": "SITE-A",
        "created_at": "2026-01-05T04:00:00Z",
        "body": {"batch": "批号", "doses": 3},
    }


def test_the_receiver_knows_whose_it_is(receiver: Receiver) -> None:
    webhook(receiver.url).send(NOTICE)
    (hit,) = receiver.hits
    now = NOW.timestamp()
    assert is_ours(hit, SECRET, now)
    assert not is_ours(hit, "another secret", now)
    assert not is_ours(Hit(hit.path, hit.headers, hit.body.replace(b"3", b"4")), SECRET, now)


def test_an_old_one_that_is_sent_again_is_known_by_its_time(receiver: Receiver) -> None:
    webhook(receiver.url).send(NOTICE)
    (hit,) = receiver.hits
    assert not is_ours(hit, SECRET, NOW.timestamp() + TOLERANCE + 1)
    later = str(int(NOW.timestamp()) + 3600)
    signature = hit.headers["Coldtrail-Signature"].replace(str(int(NOW.timestamp())), later)
    moved = Hit(hit.path, {**hit.headers, "Coldtrail-Signature": signature}, hit.body)
    assert not is_ours(moved, SECRET, NOW.timestamp() + 3600)


def test_the_signature_is_the_documented_one() -> None:
    """The example in docs/operating.md, computed with OpenSSL."""
    digest = "48e3aaba8dc792408e396d076c2148e18734521ab539b241423f55e5d816410f"
    assert signature("whsec-0123456789abcdef", 1767585600, b'{"id":"1"}') == f"t=1767585600,v1={digest}"


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_an_answer_of_success_is_success(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    webhook(receiver.url).send(NOTICE)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 410, 429, 500, 503])
def test_any_other_answer_is_none(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    with pytest.raises(NotSent, match=str(status)):
        webhook(receiver.url).send(NOTICE)


@pytest.mark.parametrize("status", [301, 307, 308])
def test_nobody_is_followed_elsewhere(receiver: Receiver, status: int) -> None:
    with receiving() as elsewhere:
        receiver.statuses, receiver.location = [status], elsewhere.url
        with pytest.raises(NotSent):
            webhook(receiver.url).send(NOTICE)
        assert elsewhere.hits == []
    assert len(receiver.hits) == 1


def test_an_answer_that_does_not_come_in_time_is_none(receiver: Receiver) -> None:
    receiver.seconds = 2.0
    with pytest.raises(NotSent, match="ReadTimeoutError"):
        webhook(receiver.url, 0.2).send(NOTICE)
    assert len(receiver.hits) == 1, "tried again at once"


def test_who_is_not_there_is_said_so_without_the_address_which_may_be_secret() -> None:
    with pytest.raises(NotSent) as refused:
        webhook(f"http://{LOOPBACK}:{free_port()}/a-token-in-the-path").send(NOTICE)
    assert str(refused.value) == "no answer: NewConnectionError"


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example", "nowhere.invalid"])
def test_a_host_that_there_is_not_is_no_more_than_that(host: str) -> None:
    with pytest.raises(NotSent):
        webhook(f"http://{host}/").send(NOTICE)


def test_who_has_a_certificate_that_we_know_is_told_and_who_has_not_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, context = self_signed(tmp_path)
    with receiving(context) as receiver:
        with pytest.raises(NotSent, match="SSLError"):
            webhook(receiver.url).send(NOTICE)
        assert receiver.hits == []
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        webhook(receiver.url).send(NOTICE)
        assert len(receiver.hits) == 1
