"""Notices to a webhook: JSON, signed so that the receiver knows whose it is and that it is not an old one again."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import urllib3

from coldtrail.channels import NotSent
from inventory.clock import Clock, system_clock
from inventory.services.notices import NoticeView

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0

SHORTEST_SECRET = 16
"""In characters: a shorter one can be guessed from one signed message."""

URL = "http://host/path or https://host/path, with user and password elsewhere than in it"


@dataclass(frozen=True)
class WebhookSettings:
    """Where notices are posted, and the secret that signs them."""

    url: str = field(repr=False)
    secret: str = field(repr=False)


def webhook_url(text: str) -> str:
    """The URL of a webhook, or empty for none; ValueError for what cannot be posted to."""
    parts = urlsplit(text)
    wrong = parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.port == 0
    if text and (wrong or not text.isascii() or not text.isprintable() or " " in text):
        raise ValueError(text)
    return text


def webhook_secret(text: str) -> str:
    """A secret to sign with, or empty for none; ValueError for a short one."""
    if text and len(text) < SHORTEST_SECRET:
        raise ValueError(text)
    return text


def signature(secret: str, seconds: int, body: bytes) -> str:
    """The value of `Coldtrail-Signature`: HMAC-SHA256 with the secret over the time, a dot and the body.

    The time is in whole seconds since 1970; the receiver makes the same digest and refuses a time that is long past.
    """
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={digest.hexdigest()}"


def message(notice: NoticeView) -> bytes:
    """What is posted."""
    content = {
        "id": str(notice.id),
        "kind": notice.kind,
        "facility": notice.facility,
        "created_at": notice.created_at.isoformat().replace("+00:00", "Z"),
        "body": notice.body,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


class Webhook:
    """Posts notices; any answer but 2xx within the time is a failure, also one that leads elsewhere.

    `clock` gives the time of the signature, which the receiver holds against its own: the real one.
    """

    def __init__(
        self, settings: WebhookSettings, clock: Clock = system_clock, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._settings = settings
        self._clock = clock
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=answer_seconds)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    def send(self, notice: NoticeView) -> None:
        """Post it.

        Raises:
            NotSent: the receiver was not reached, or did not say that it has it.
        """
        body = message(notice)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "coldtrail",
            "Coldtrail-Notice-Id": str(notice.id),
            "Coldtrail-Signature": signature(self._settings.secret, int(self._clock().timestamp()), body),
        }
        try:
            answer = self._pool.request(
                "POST", self._settings.url, body=body, headers=headers, redirect=False, preload_content=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise NotSent(f"no answer: {type(error).__name__}") from error
        status = answer.status
        answer.close()  # whatever else it says is not read, however long it is
        if not 200 <= status < 300:
            raise NotSent(f"answered with status {status}")
