"""The settings of the channels: whole, or none."""

import pytest

from coldtrail.mail import Security, SmtpServer
from coldtrail.mail_texts import Language
from coldtrail.settings import from_environment
from coldtrail.webhook import SHORTEST_SECRET
from tests.unit.test_settings import fault, read

SECRET = "s" * SHORTEST_SECRET
MAIL = {"MAIL_FROM": "a@example.org", "MAIL_TO": "b@example.org"}


def server(url: str) -> SmtpServer:
    settings = read(SMTP_URL=url, **MAIL).mail
    assert settings is not None
    return settings.server


def test_without_settings_nobody_is_told_and_one_looks_every_half_minute() -> None:
    settings = from_environment({})
    assert (settings.webhook, settings.mail, settings.watch_seconds) == (None, None, 30)


def test_what_is_empty_is_not_set() -> None:
    settings = read(WEBHOOK_URL="", WEBHOOK_SECRET="", SMTP_URL="", MAIL_FROM="", MAIL_TO="")
    assert (settings.webhook, settings.mail) == (None, None)


def test_a_webhook_is_its_address_and_its_secret_and_shows_neither() -> None:
    webhook = read(WEBHOOK_URL="https://example.org/hooks/token?x=1", WEBHOOK_SECRET=SECRET).webhook
    assert webhook is not None
    assert (webhook.url, webhook.secret) == ("https://example.org/hooks/token?x=1", SECRET)
    assert "token" not in repr(webhook)
    assert SECRET not in repr(webhook)


def test_a_webhook_is_never_called_unsigned() -> None:
    assert fault(WEBHOOK_URL="https://example.org/").startswith("COLDTRAIL_WEBHOOK_SECRET is not set")
    assert f"{SHORTEST_SECRET} characters" in fault(WEBHOOK_URL="https://example.org/", WEBHOOK_SECRET=SECRET[1:])


@pytest.mark.parametrize(
    "url",
    [
        "example.org",
        "ftp://example.org/",
        "http://",
        "https:///path",
        "http://user:hunter2@example.org/",
        "http://example.org:0/",
        "http://example.org:99999/",
        "http://example.org:x/",
        "http://[::1",
        "http://example.org/a b",
        "http://example.org/\n",
        "http://例子.example/",
    ],
)
def test_a_webhook_that_could_not_be_called_is_refused_unseen(url: str) -> None:
    said = fault(WEBHOOK_URL=url, WEBHOOK_SECRET=SECRET)
    assert said.startswith("COLDTRAIL_WEBHOOK_URL is not ")
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("url", "security", "port"),
    [
        ("smtp://mail", Security.NONE, 25),
        ("smtp+starttls://mail", Security.STARTTLS, 587),
        ("smtps://mail", Security.TLS, 465),
        ("smtp://mail:2525", Security.NONE, 2525),
        ("smtps://[::1]:1/", Security.TLS, 1),
    ],
)
def test_a_mail_servers_url_says_how_the_way_to_it_is_protected(url: str, security: Security, port: int) -> None:
    found = server(url)
    assert (found.security, found.port, found.username, found.password) == (security, port, None, None)


def test_user_and_password_may_hold_anything_percent_encoded_and_are_not_shown() -> None:
    found = server("smtps://a%40b:p%2Fw%3A@mail")
    assert (found.username, found.password) == ("a@b", "p/w:")
    assert "p/w" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "mail",
        "http://mail",
        "smtp://",
        "smtp://mail:0",
        "smtp://mail:x",
        "smtp://mail/path",
        "smtp://mail?x=1",
        "smtps://user@mail",
        "smtps://user:hunter2%0A@mail",
        "smtps://user:%E5%AF%86hunter2@mail",
        "smtp://user:hunter2@mail",
        "smtp://a..b",
    ],
)
def test_a_mail_server_that_cannot_be_used_or_would_get_a_password_in_the_clear_is_refused(url: str) -> None:
    said = fault(SMTP_URL=url, **MAIL)
    assert said.startswith("COLDTRAIL_SMTP_URL is not ")
    assert "hunter2" not in said


def test_mail_needs_a_sender_and_recipients() -> None:
    said = fault(SMTP_URL="smtp://mail").splitlines()
    assert [line.split()[0] for line in said] == ["COLDTRAIL_MAIL_FROM", "COLDTRAIL_MAIL_TO"]


def test_recipients_are_listed_with_commas_each_once() -> None:
    settings = read(
        SMTP_URL="smtp://mail", MAIL_FROM="a@b", MAIL_TO=" b@example.org,c@example.org , b@example.org"
    ).mail
    assert settings is not None
    assert settings.recipients == ("b@example.org", "c@example.org")
    assert settings.language is Language.ENGLISH


def test_mail_is_written_in_the_language_that_is_set() -> None:
    settings = read(SMTP_URL="smtp://mail", LANGUAGE="zh", **MAIL).mail
    assert settings is not None
    assert settings.language is Language.CHINESE


@pytest.mark.parametrize(
    "address", ["a", "@b", "a@", "a b@c", "a@b\nBcc: c@d", "<a@b>", "A <a@b>", "a@b@c", "密@b", "a@b..c", "a@.b"]
)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    assert "COLDTRAIL_MAIL_FROM is not" in fault(SMTP_URL="smtp://mail", MAIL_FROM=address, MAIL_TO="b@c")
    assert "COLDTRAIL_MAIL_TO is not" in fault(SMTP_URL="smtp://mail", MAIL_FROM="b@c", MAIL_TO=f"b@c,{address}")


@pytest.mark.parametrize("addresses", [",", "a@b,", "a@b,,c@d"])
def test_a_list_with_a_gap_is_refused(addresses: str) -> None:
    assert "COLDTRAIL_MAIL_TO is not" in fault(SMTP_URL="smtp://mail", MAIL_FROM="b@c", MAIL_TO=addresses)


@pytest.mark.parametrize("seconds", ["", "0", "-1", "3601", "1.5", "soon"])
def test_the_time_between_rounds_has_bounds(seconds: str) -> None:
    assert "COLDTRAIL_WATCH_SECONDS is not" in fault(WATCH_SECONDS=seconds)
