"""Notices to a real SMTP server: what it gets, and what counts as having got it."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coldtrail.channels import NotSent
from coldtrail.mail import Mail, MailSettings, Security, SmtpServer
from coldtrail.mail_texts import Language
from inventory.domain.notices import NoticeKind
from tests.receivers import Mailbox, mailbox, self_signed
from tests.services import LOOPBACK, free_port
from tests.unit.test_mail_texts import ID, notice

SENDER = "coldtrail@county.example"
TO = ("keeper@example.org", "duty@example.org")


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


def mail(port: int, security: Security = Security.NONE, language: Language = Language.ENGLISH, **other: Any) -> Mail:
    server = SmtpServer(LOOPBACK, port, security, **other)
    return Mail(MailSettings(server, SENDER, TO, language), answer_seconds=5.0)


def test_a_notice_goes_to_everybody_as_plain_text(box: Mailbox) -> None:
    mail(box.port).send(notice(NoticeKind.MISSED))
    assert box.envelopes == [(SENDER, list(TO))]
    (found,) = box.mails
    assert found.get_content_type() == "text/plain"
    assert found["Message-ID"] == f"<notice-{ID}@county.example>"
    assert found["Subject"] == "Coldtrail: SITE-A: batch B1 has missed its deadline"
    assert "Product: 麻疹疫苗" in found.get_content().splitlines()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_arrives_in_each_language_as_it_was_written(
    box: Mailbox, kind: NoticeKind, language: Language
) -> None:
    sender = mail(box.port, language=language)
    sender.send(notice(kind))
    written = sender.message(notice(kind))
    (found,) = box.mails
    assert found["Subject"] == written["Subject"]
    assert found.get_content().splitlines() == written.get_content().splitlines()


def test_a_line_that_is_one_dot_does_not_end_it(box: Mailbox) -> None:
    mail(box.port).send(notice(NoticeKind.REFUSED_GOODS, reason="first\n.\nlast"))
    assert "last" in box.mails[0].get_content()


@pytest.mark.parametrize("refusal", ["451 not now", "554 never", "421 going down"])
def test_mail_that_the_server_refuses_was_not_sent(box: Mailbox, refusal: str) -> None:
    box.refusal = refusal
    with pytest.raises(NotSent, match=refusal[:3]):
        mail(box.port).send(notice(NoticeKind.MISSED))


def test_mail_that_the_server_takes_for_some_was_sent_and_the_others_are_logged(
    box: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    box.refused = frozenset(TO[:1])
    with caplog.at_level(logging.WARNING):
        mail(box.port).send(notice(NoticeKind.MISSED))
    assert box.envelopes == [(SENDER, list(TO[1:]))]
    assert f"not taken for {TO[0]}: 550" in caplog.text


def test_mail_that_the_server_takes_for_nobody_was_not_sent(box: Mailbox) -> None:
    box.refused = frozenset(TO)
    with pytest.raises(NotSent, match="SMTPRecipientsRefused"):
        mail(box.port).send(notice(NoticeKind.MISSED))


def test_a_server_that_is_not_there_is_said_so() -> None:
    with pytest.raises(NotSent, match="ConnectionRefusedError"):
        mail(free_port()).send(notice(NoticeKind.MISSED))


def test_a_server_that_says_nothing_is_waited_for_only_so_long() -> None:
    with socket.create_server((LOOPBACK, 0)) as silent:
        server = SmtpServer(LOOPBACK, silent.getsockname()[1], Security.NONE)
        sender = Mail(MailSettings(server, SENDER, TO, Language.ENGLISH), answer_seconds=0.2)
        with pytest.raises(NotSent, match="SMTPServerDisconnected"):
            sender.send(notice(NoticeKind.MISSED))


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # aiosmtpd does not see that its socket is under TLS already
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_under_tls_we_log_in_to_a_server_that_we_know_and_to_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: Security
) -> None:
    authority, context = self_signed(tmp_path)
    with mailbox(context, starttls=security is Security.STARTTLS) as box:
        sender = mail(box.port, security, username="county", password="pass/word")
        with pytest.raises(NotSent, match="SSLCertVerificationError"):
            sender.send(notice(NoticeKind.MISSED))
        assert box.logins == []
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        sender.send(notice(NoticeKind.MISSED))
        assert (box.logins, len(box.mails)) == (["county:pass/word"], 1)
        wrong = mail(box.port, security, username="county", password="guess")
        with pytest.raises(NotSent):
            wrong.send(notice(NoticeKind.MISSED))
        assert len(box.mails) == 1


def test_a_server_without_starttls_gets_no_password_in_the_clear(box: Mailbox) -> None:
    with pytest.raises(NotSent, match="SMTPNotSupportedError"):
        mail(box.port, Security.STARTTLS, username="county", password="pass/word").send(notice(NoticeKind.MISSED))
    assert box.logins == []
