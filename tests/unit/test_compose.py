"""`docker-compose.yml` and `.env.example`: what is published, what is secret, what is watched, what is run."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from coldtrail.settings import from_environment

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]

BEATING = {"ingest-0", "ingest-1", "watch", "log"}
WATCHED = {"broker", "database", "api", *BEATING}
CHANNELS = {
    "COLDTRAIL_WEBHOOK_URL",
    "COLDTRAIL_WEBHOOK_SECRET",
    "COLDTRAIL_SMTP_URL",
    "COLDTRAIL_MAIL_FROM",
    "COLDTRAIL_MAIL_TO",
    "COLDTRAIL_LANGUAGE",
}
TUNED = {"COLDTRAIL_WORKERS", "COLDTRAIL_THREADS", "COLDTRAIL_WATCH_SECONDS", "COLDTRAIL_LOG_SEND_MINUTES"}
MAY_BE_AWAY = {"COLDTRAIL_API_ADDRESS", "COLDTRAIL_MQTT_ADDRESS", "COLDTRAIL_LOG_NAME", *CHANNELS, *TUNED}
"""The variables that have a default, and those of channels, which need not be set up."""


def text_of(name: str) -> str:
    return str(yaml.safe_dump(SERVICES[name]))


def command_line(service: dict[str, Any]) -> str:
    """What a service of our image runs: its own entrypoint, or else the image's."""
    return " ".join([*service.get("entrypoint", ["coldtrail"]), *service["command"]])


def is_healthy(name: str, heartbeat: Path, **more: str) -> bool:
    """What a service's health check says of a file."""
    kind, script = SERVICES[name]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    environment = {"PATH": os.defpath, "COLDTRAIL_HEARTBEAT": str(heartbeat), **more}
    return subprocess.run(["sh", "-c", script.replace("$$", "$")], env=environment, check=False).returncode == 0


OURS = [name for name, service in SERVICES.items() if service["image"] == "coldtrail"]


def test_the_services_are_those_of_the_design() -> None:
    assert set(SERVICES) == {"broker", "database", "migrate", "api", "ingest-0", "ingest-1", "watch", "log"}


def test_only_the_api_and_mqtt_are_published_and_by_default_to_this_host() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "api": ["${COLDTRAIL_API_ADDRESS:-127.0.0.1}:8000:8000"],
        "broker": ["${COLDTRAIL_MQTT_ADDRESS:-127.0.0.1}:1883:1883"],
    }


@pytest.mark.parametrize("name", SERVICES)
def test_every_secret_is_required(name: str) -> None:
    variables = re.findall(r"(?<!\$)\$\{?(\w+)([^}\s]*)", text_of(name))
    optional = {variable for variable, rest in variables if not rest.startswith(":?")}
    assert optional <= MAY_BE_AWAY


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_written_down(name: str) -> None:
    secrets = {key: value for key, value in SERVICES[name].get("environment", {}).items() if "PASSWORD" in key}
    assert all(value.startswith("${") for value in secrets.values())


def test_the_example_names_every_variable_and_gives_no_value() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = {line.removeprefix("# ") for line in lines if re.fullmatch(r"(# )?[A-Z_]+=.*", line)}
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert named == {f"{variable}=" for variable in used}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_says_when_it_is_restarted(name: str) -> None:
    assert SERVICES[name]["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_what_can_be_watched_is_watched() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" in service} == WATCHED


@pytest.mark.parametrize("name", sorted(BEATING))
def test_who_speaks_no_http_beats_into_a_file_of_which_the_age_is_looked_at(name: str, tmp_path: Path) -> None:
    assert SERVICES[name]["environment"]["COLDTRAIL_HEARTBEAT"].startswith(SERVICES[name]["tmpfs"][0] + "/")
    heartbeat = tmp_path / "heartbeat"
    assert not is_healthy(name, heartbeat)
    heartbeat.touch()
    assert is_healthy(name, heartbeat)
    os.utime(heartbeat, (0, 0))
    assert not is_healthy(name, heartbeat)


def test_a_watch_has_the_time_between_two_rounds_besides(tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    heartbeat.touch()
    touched = heartbeat.stat().st_mtime
    os.utime(heartbeat, (touched - 600, touched - 600))
    assert not is_healthy("watch", heartbeat, COLDTRAIL_WATCH_SECONDS="30")
    assert is_healthy("watch", heartbeat, COLDTRAIL_WATCH_SECONDS="3600")


@pytest.mark.parametrize("name", SERVICES)
def test_who_waits_for_health_waits_for_a_health_check(name: str) -> None:
    waits: dict[str, dict[str, str]] = SERVICES[name].get("depends_on", {})
    assert all(on in WATCHED for on, how in waits.items() if how["condition"] == "service_healthy")


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_of_ours(name: str) -> None:
    from coldtrail.cli import COMMANDS

    run = set(re.findall(r"coldtrail (\S+)", command_line(SERVICES[name]).replace(";", " ")))
    assert run
    assert run <= set(COMMANDS)


def test_the_workers_share_all_shards_and_none_twice() -> None:
    shards: list[int] = []
    for name in ("ingest-0", "ingest-1"):
        first, last = SERVICES[name]["command"][-1].split("-")
        shards += range(int(first, 16), int(last, 16) + 1)
    assert shards == list(range(256))


def test_only_the_watch_knows_whom_to_tell() -> None:
    told = {name: set(service.get("environment", ())) & CHANNELS for name, service in SERVICES.items()}
    assert {name for name, known in told.items() if known} == {"watch"}
    assert told["watch"] == CHANNELS


def test_what_is_tuned_has_the_default_of_the_settings() -> None:
    given = {key: value for service in SERVICES.values() for key, value in service.get("environment", {}).items()}
    defaults = {name: re.fullmatch(r"\$\{\w+:-(\w+)\}", given[name]) for name in TUNED}
    assert all(defaults.values())
    known = from_environment({})
    of_watch = from_environment({name: found[1] for name, found in defaults.items() if found})
    assert (known.workers, known.threads) == (of_watch.workers, of_watch.threads)
    assert (known.watch_seconds, known.log_send) == (of_watch.watch_seconds, of_watch.log_send)


def test_the_keeper_of_the_log_ends_after_all_that_write() -> None:
    writers = {name for name in OURS if name not in {"log", "migrate"}}
    assert {name for name, service in SERVICES.items() if "log" in service.get("depends_on", ())} == writers


def test_every_mounted_file_is_there() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", ())]
    files = [ROOT / mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert files
    assert all(file.is_file() for file in files)
