from pathlib import Path

import pytest

from coldtrail.settings import FASTEST, KNOWN, Settings, SettingsError, from_environment, shard_list
from inventory.clock import ScaledClock, system_clock

DATABASES = [
    "postgresql://db/coldtrail",
    "postgresql://[::1]:5432/c",
    "postgresql:///c?host=/run/postgresql",
    "postgresql+psycopg://u:p@db/c",
    "postgresql://u:p/a#s?s@db:5432/c",
    "sqlite:////tmp/x.db",
    "sqlite:///a:b/x.db",
]
WRONG = {
    "COLDTRAIL_DATABASE_URL": "mysql://somewhere/else",
    "COLDTRAIL_MQTT_URL": "http://127.0.0.1",
    "COLDTRAIL_MQTT_PROTOCOL": "4",
    "COLDTRAIL_MQTT_ROOT": "coldtrail/#",
    "COLDTRAIL_SHARDS": "7f-00",
    "COLDTRAIL_BIND": "8000",
    "COLDTRAIL_WORKERS": "0",
    "COLDTRAIL_THREADS": "many",
    "COLDTRAIL_CLOCK": "yesterday",
    "COLDTRAIL_WEBHOOK_URL": "ftp://somewhere",
    "COLDTRAIL_WEBHOOK_SECRET": "short",
    "COLDTRAIL_SMTP_URL": "http://somewhere",
    "COLDTRAIL_MAIL_FROM": "nobody",
    "COLDTRAIL_MAIL_TO": "nobody",
    "COLDTRAIL_LANGUAGE": "fr",
    "COLDTRAIL_WATCH_SECONDS": "0",
}


def read(**environment: str) -> Settings:
    return from_environment({f"COLDTRAIL_{name}": value for name, value in environment.items()})


def fault(**environment: str) -> str:
    with pytest.raises(SettingsError) as refused:
        read(**environment)
    return str(refused.value)


def test_an_empty_environment_is_a_working_one() -> None:
    settings = from_environment({})
    assert settings.database_url.startswith("sqlite:///")
    assert (settings.mqtt.host, settings.mqtt.port, settings.mqtt.password) == ("127.0.0.1", 1883, None)
    assert len(settings.shards) == 256
    assert settings.clock is system_clock


def test_every_fault_is_told_in_one_message_a_line_each() -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment(WRONG | {"COLDTRAIL_DATABSE_URL": "x"})
    lines = str(refused.value).splitlines()
    assert sorted(line.split()[0] for line in lines) == sorted([*WRONG, "COLDTRAIL_DATABSE_URL"])


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_named_but_never_shown_for_it_may_be_a_secret(name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment({name: WRONG[name]})
    assert str(refused.value).startswith(f"{name} is not ")


def test_a_broker_urls_password_is_not_in_the_message() -> None:
    message = fault(MQTT_URL="http://coldtrail:hunter2@broker")
    assert "COLDTRAIL_MQTT_URL" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("name", ["COLDTRAIL_DATABSE_URL", "COLDTRAIL_", "COLDTRAIL_TESTS"])
def test_a_slip_of_a_name_is_told(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is unknown"):
        from_environment({name: "x"})


def test_other_programs_variables_and_those_of_the_tests_are_no_slips() -> None:
    from_environment({"PATH": "/bin", "COLDTRAIL_TEST_POSTGRES_URL": "postgresql://127.0.0.1/postgres"})


@pytest.mark.parametrize("name", sorted(KNOWN - set(WRONG)))
def test_a_variable_that_another_part_reads_is_no_slip(name: str) -> None:
    from_environment({name: "1"})


@pytest.mark.parametrize("url", DATABASES)
def test_both_databases_can_be_named(url: str) -> None:
    assert read(DATABASE_URL=url).database_url == url


@pytest.mark.parametrize("url", ["", "sqlite:///", "sqlite://", "postgres", "postgresql://", "file:/x"])
def test_a_database_that_is_none_of_them_is_refused(url: str) -> None:
    assert "COLDTRAIL_DATABASE_URL" in fault(DATABASE_URL=url)


@pytest.mark.parametrize("port", ["", "abc", "0", "65536", "-1", "5432,h:5433"])
@pytest.mark.parametrize("user", ["", "u:hunter2@", "u:hunter2/9@"])
def test_a_databases_port_that_is_none_is_refused_without_its_password(user: str, port: str) -> None:
    message = fault(DATABASE_URL=f"postgresql://{user}h:{port}/d")
    assert message.startswith("COLDTRAIL_DATABASE_URL is not ")
    assert "hunter2" not in message


@pytest.mark.parametrize("url", ["mqtt://b:0", "mqtt://b:x", "mqtt://b:70000", "mqtt://a..b", f"mqtt://{'a' * 64}"])
def test_a_broker_that_no_connection_could_be_tried_to_is_refused(url: str) -> None:
    assert "COLDTRAIL_MQTT_URL" in fault(MQTT_URL=url)


@pytest.mark.parametrize("bind", ["127.0.0.1:8000", "0.0.0.0:80", "[::1]:8000", "api:8000"])
def test_an_address_to_listen_at_is_a_host_and_a_port(bind: str) -> None:
    assert read(BIND=bind).bind == bind


@pytest.mark.parametrize(
    "bind", ["", "8000", "host:", ":8000", "host:port", "a b:80", "host:0", "host:65536", "[::1]:99999", "host:٨٠"]
)
def test_half_an_address_or_a_port_that_is_none_is_refused(bind: str) -> None:
    assert "COLDTRAIL_BIND" in fault(BIND=bind)


@pytest.mark.parametrize("count", ["", "0", "65", "-1", "1.5", "x"])
def test_counts_of_processes_have_bounds(count: str) -> None:
    assert "COLDTRAIL_WORKERS" in fault(WORKERS=count)
    assert "COLDTRAIL_THREADS" in fault(THREADS=count)


@pytest.mark.parametrize(
    ("text", "shards"),
    [("00", ("00",)), ("fe-ff", ("fe", "ff")), ("0a, 00-01,0a", ("00", "01", "0a"))],
)
def test_shards_are_listed_singly_and_by_ranges_each_once(text: str, shards: tuple[str, ...]) -> None:
    assert shard_list(text) == shards


@pytest.mark.parametrize("text", ["", ",", "0", "100", "0A", "ff-00", "00-", "00-01-02"])
def test_what_are_no_shards_is_refused(text: str) -> None:
    assert "COLDTRAIL_SHARDS" in fault(SHARDS=text)


def test_a_workers_session_is_named_by_its_first_shard_so_that_two_workers_never_share_one() -> None:
    first, second = read(SHARDS="00-7f"), read(SHARDS="80-ff")
    assert first.mqtt.client_id != second.mqtt.client_id
    assert read(MQTT_CLIENT_ID="mine").mqtt.client_id == "mine"


def test_a_heartbeat_is_a_file_or_none() -> None:
    assert read().heartbeat is None
    assert read(HEARTBEAT="/tmp/heartbeat").heartbeat == Path("/tmp/heartbeat")  # noqa: S108
    assert "COLDTRAIL_HEARTBEAT" in fault(HEARTBEAT="a\0b")


def test_a_demonstrations_clock_is_read() -> None:
    clock = read(CLOCK="2026-01-05T06:00:00Z,2026-01-05T06:00:00+08:00,60").clock
    assert isinstance(clock, ScaledClock)
    assert clock.speed == 60


@pytest.mark.parametrize(
    "clock",
    [
        f"2026-01-05T06:00:00Z,2026-01-05T06:00:00Z,{FASTEST + 1}",
        "2026-01-05T06:00:00Z,2026-01-05T06:00:00Z,1e300",
        "2026-01-05T06:00:00Z,2026-01-05T06:00:00Z,nan",
        "0001-01-01T00:00:00Z,2026-01-05T06:00:00Z,100",
        "0001-01-01T00:00:00+08:00,2026-01-05T06:00:00Z,1",
        "2026-01-05T06:00:00Z,9999-12-31T23:59:59Z,60",
    ],
)
def test_a_clock_that_leaves_all_time_is_refused_and_the_highest_speed_told(clock: str) -> None:
    assert f"a speed of at most {FASTEST}" in fault(CLOCK=clock)
