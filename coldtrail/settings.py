"""Settings from the environment: read here and nowhere else, all checked at once."""

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from coldtrail.mail import ADDRESS, ADDRESSES, SMTP, MailSettings, SmtpServer, address, addresses, smtp_server
from coldtrail.mail_texts import Language
from coldtrail.webhook import SHORTEST_SECRET, URL, WebhookSettings, webhook_secret, webhook_url
from inventory.clock import Clock, ScaledClock, system_clock
from mqtt_ingest.settings import MqttSettings, Protocol
from mqtt_ingest.topics import ROOT

T = TypeVar("T")

DATABASE_URL = "sqlite:///var/coldtrail.db"
MQTT_URL = "mqtt://127.0.0.1:1883"
BIND = "127.0.0.1:8000"

FASTEST = 100_000
"""The highest speed of a demonstration's clock: nearly three centuries a day, still within what a datetime holds."""

BROKER = "mqtt://user:password@host:port or mqtts://..."
"""What a broker's URL is expected to be, to be said without the URL, which may hold a password."""


Take = Callable[[str, str, Callable[[str], Any], str], Any]
"""Reads a variable: its name, what stands for it unless it is set, how it is read, and what it is expected to be."""


class SettingsError(Exception):
    """Everything that is wrong with the environment, a line each."""


@dataclass(frozen=True)
class Settings:
    """How this process is to run; secrets come in the URLs and have no default."""

    database_url: str
    mqtt: MqttSettings
    shards: tuple[str, ...]
    bind: str
    workers: int
    threads: int
    clock: Clock
    webhook: WebhookSettings | None
    mail: MailSettings | None
    watch_seconds: int
    log_key_file: Path | None = None
    log_send: timedelta | None = None
    heartbeat: Path | None = None


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that an environment makes.

    Raises:
        SettingsError: naming every variable that is wrong, its value's fault and what was expected.
    """
    faults: list[str] = []

    def take(name: str, default: str, read: Callable[[str], T], expected: str) -> T | None:
        text = environment.get(name, default)
        try:
            return read(text)
        except ValueError:
            faults.append(f"{name} is not {expected}")
            return None

    protocol = take("COLDTRAIL_MQTT_PROTOCOL", "5", _protocol, "5 or 3.1.1")
    root = take("COLDTRAIL_MQTT_ROOT", ROOT, _root, f"a topic without + and #, such as {ROOT}")
    shards = take("COLDTRAIL_SHARDS", "00-ff", shard_list, "shards such as 00-7f or 00,0a,f0-ff")
    client_id = environment.get("COLDTRAIL_MQTT_CLIENT_ID", session_name(shards or ()))
    read = {
        "database_url": take("COLDTRAIL_DATABASE_URL", DATABASE_URL, postgres_or_sqlite, DATABASE),
        "mqtt": take(
            "COLDTRAIL_MQTT_URL",
            MQTT_URL,
            lambda url: broker_settings(url, client_id, protocol or "5", root or ROOT),
            BROKER,
        ),
        "shards": shards,
        "bind": take("COLDTRAIL_BIND", BIND, _bind, "host:port, with a port from 1 to 65535"),
        "workers": take("COLDTRAIL_WORKERS", "2", _count, "a number from 1 to 64"),
        "threads": take("COLDTRAIL_THREADS", "16", _count, "a number from 1 to 64"),
        "clock": take("COLDTRAIL_CLOCK", "", _clock, _CLOCK),
        "webhook": _webhook(take, faults),
        "mail": _mail(take, faults),
        "watch_seconds": take("COLDTRAIL_WATCH_SECONDS", "30", _seconds, "a number of seconds from 1 to 3600"),
        "log_key_file": take("COLDTRAIL_LOG_KEY_FILE", "", _file, "the name of a file"),
        "log_send": take("COLDTRAIL_LOG_SEND_MINUTES", "1440", _span, "a number of minutes from 0 (never) to 10080"),
        "heartbeat": take("COLDTRAIL_HEARTBEAT", "", _file, "the name of a file"),
    }
    faults += [f"{name} is unknown" for name in sorted(environment) if _is_slip(name)]
    if faults:
        raise SettingsError("\n".join(faults))
    return Settings(**read)  # type: ignore[arg-type]  # no fault: only the channels may be None


def _webhook(take: Take, faults: list[str]) -> WebhookSettings | None:
    """The webhook, if there is one; it is never called unsigned."""
    url = take("COLDTRAIL_WEBHOOK_URL", "", webhook_url, URL)
    secret = take("COLDTRAIL_WEBHOOK_SECRET", "", webhook_secret, f"a secret of {SHORTEST_SECRET} characters or more")
    if url and secret == "":
        faults.append("COLDTRAIL_WEBHOOK_SECRET is not set; a webhook's messages are signed with it")
    return WebhookSettings(url, secret) if url and secret else None


def _mail(take: Take, faults: list[str]) -> MailSettings | None:
    """How mail goes, if it does: it needs a sender and recipients."""
    server: SmtpServer | None = take("COLDTRAIL_SMTP_URL", "", smtp_server, SMTP)
    sender = take("COLDTRAIL_MAIL_FROM", "", address, ADDRESS)
    recipients = take("COLDTRAIL_MAIL_TO", "", addresses, ADDRESSES)
    language = take("COLDTRAIL_LANGUAGE", Language.ENGLISH.value, Language, " or ".join(Language))
    if server is None:
        return None
    if sender == "":
        faults.append("COLDTRAIL_MAIL_FROM is not set; mail needs a sender")
    if recipients == ():
        faults.append("COLDTRAIL_MAIL_TO is not set; mail needs recipients")
    return MailSettings(server, sender, recipients, language) if sender and recipients and language else None


KNOWN = {
    "COLDTRAIL_DATABASE_URL",
    "COLDTRAIL_MQTT_URL",
    "COLDTRAIL_MQTT_PROTOCOL",
    "COLDTRAIL_MQTT_ROOT",
    "COLDTRAIL_MQTT_CLIENT_ID",
    "COLDTRAIL_SHARDS",
    "COLDTRAIL_BIND",
    "COLDTRAIL_WORKERS",
    "COLDTRAIL_THREADS",
    "COLDTRAIL_CLOCK",
    "COLDTRAIL_WEBHOOK_URL",
    "COLDTRAIL_WEBHOOK_SECRET",
    "COLDTRAIL_SMTP_URL",
    "COLDTRAIL_MAIL_FROM",
    "COLDTRAIL_MAIL_TO",
    "COLDTRAIL_LANGUAGE",
    "COLDTRAIL_WATCH_SECONDS",
    "COLDTRAIL_LOG_KEY_FILE",
    "COLDTRAIL_LOG_SEND_MINUTES",
    "COLDTRAIL_HEARTBEAT",
    "COLDTRAIL_PORT",
    "COLDTRAIL_MQTT_PORT",
    "COLDTRAIL_SPEED",
    "COLDTRAIL_REQUIRE_SERVICES",
}
"""Every variable that means something."""

DATABASE = "sqlite:///... or postgresql://user:password@host:port/name, with a port from 1 to 65535 if any"
_CLOCK = f"empty, or ANCHOR,SHOWN,SPEED for a demonstration, with a speed of at most {FASTEST} and times in range"
_PORT = re.compile(r"[^:]+://(?:[^:/]*(?::[^@]*)?@)?(?:\[[^/?]+\]|[^/:?]+)?(?::([^/?]*))?")
"""Finds a database's port where SQLAlchemy does: urlsplit takes part of a password with a slash in it for the port."""


def _is_slip(name: str) -> bool:
    """A variable of our prefix that means nothing here; the tests have their own."""
    return name.startswith("COLDTRAIL_") and name not in KNOWN and not name.startswith("COLDTRAIL_TEST_")


def shard_list(text: str) -> tuple[str, ...]:
    """Shards from `00-7f,a0`; ValueError if there is none, or it is no pair of hex digits."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"([0-9a-f]{2})(?:-([0-9a-f]{2}))?", part.strip())
        if match is None:
            raise ValueError(part)
        first, last = int(match[1], 16), int(match[2] or match[1], 16)
        if last < first:
            raise ValueError(part)
        found.update(range(first, last + 1))
    return tuple(f"{shard:02x}" for shard in sorted(found))


def session_name(shards: Sequence[str]) -> str:
    """A client id that no other shards have: a durable session keeps the filters that it was made with."""
    return f"coldtrail-ingest-{zlib.crc32(','.join(shards).encode()):08x}"


def broker_settings(url: str, client_id: str, protocol: Protocol = "5", root: str = ROOT) -> MqttSettings:
    """The broker of a URL; ValueError also where no connection could ever be tried, which would end in a traceback."""
    settings = MqttSettings.from_url(url, client_id, protocol=protocol, root=root)
    settings.host.encode("idna")
    if urlsplit(url).port == 0:
        raise ValueError("port 0")
    return settings


def _protocol(text: str) -> Protocol:
    if text == "5":
        return "5"
    if text == "3.1.1":
        return "3.1.1"
    raise ValueError(text)


def _root(text: str) -> str:
    if not text or set(text) & set("+#\0") or text.startswith("/") or text.endswith("/"):
        raise ValueError(text)
    return text


def postgres_or_sqlite(text: str) -> str:
    """The URL of a database that we know; ValueError for another."""
    if not re.match(r"(sqlite:///.+|postgresql(\+psycopg)?://.+)\Z", text):
        raise ValueError(text)
    found = _PORT.match(text) if text.startswith("postgresql") else None
    if found and found[1] is not None:
        _port(found[1])
    return text


def _bind(text: str) -> str:
    match = re.fullmatch(r"(?:[^\s:]+|\[[0-9a-fA-F:]+\]):([^:]+)", text)
    if match is None:
        raise ValueError(text)
    _port(match[1])
    return text


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ValueError(text)
    return int(text)


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 64:
        raise ValueError(text)
    return number


def _seconds(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 3600:
        raise ValueError(text)
    return number


def _file(text: str) -> Path | None:
    if "\0" in text:
        raise ValueError(text)
    return Path(text) if text else None


def _span(text: str) -> timedelta | None:
    minutes = int(text)
    if not 0 <= minutes <= 10080:
        raise ValueError(text)
    return timedelta(minutes=minutes) or None


def _clock(text: str) -> Clock:
    """The clock, read once: one that already shows a time beyond all range would fail at every use."""
    if not text:
        return system_clock
    try:
        clock = ScaledClock.parse(text)
        clock()
    except OverflowError:
        raise ValueError(text) from None
    if clock.speed > FASTEST:
        raise ValueError(text)
    return clock
