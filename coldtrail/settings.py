"""Settings from the environment: read here and nowhere else, all checked at once."""

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from inventory.clock import Clock, ScaledClock, system_clock
from mqtt_ingest.settings import MqttSettings, Protocol
from mqtt_ingest.topics import ROOT

T = TypeVar("T")

DATABASE_URL = "sqlite:///var/coldtrail.db"
MQTT_URL = "mqtt://127.0.0.1:1883"
BIND = "127.0.0.1:8000"


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
        "database_url": take("COLDTRAIL_DATABASE_URL", DATABASE_URL, _database, "sqlite:///... or postgresql://..."),
        "mqtt": take(
            "COLDTRAIL_MQTT_URL",
            MQTT_URL,
            lambda url: MqttSettings.from_url(url, client_id, protocol=protocol or "5", root=root or ROOT),
            "mqtt://user:password@host:port or mqtts://...",
        ),
        "shards": shards,
        "bind": take("COLDTRAIL_BIND", BIND, _bind, "host:port"),
        "workers": take("COLDTRAIL_WORKERS", "2", _count, "a number from 1 to 64"),
        "threads": take("COLDTRAIL_THREADS", "4", _count, "a number from 1 to 64"),
        "clock": take("COLDTRAIL_CLOCK", "", _clock, "empty, or ANCHOR,SHOWN,SPEED for a demonstration"),
    }
    faults += [f"{name} is unknown" for name in sorted(environment) if _is_slip(name)]
    if faults:
        raise SettingsError("\n".join(faults))
    return Settings(**read)  # type: ignore[arg-type]  # no fault: none of them is None


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
    "COLDTRAIL_PORT",
    "COLDTRAIL_MQTT_PORT",
    "COLDTRAIL_SPEED",
    "COLDTRAIL_REQUIRE_SERVICES",
}
"""Every variable that means something."""


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


def _database(text: str) -> str:
    if not re.match(r"(sqlite:///.+|postgresql(\+psycopg)?://.+)\Z", text):
        raise ValueError(text)
    return text


def _bind(text: str) -> str:
    if not re.fullmatch(r"[^\s:]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}", text):
        raise ValueError(text)
    return text


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 64:
        raise ValueError(text)
    return number


def _clock(text: str) -> Clock:
    return ScaledClock.parse(text) if text else system_clock
