"""Notices by mail, over SMTP."""

import logging
import re
import smtplib
import ssl
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from coldtrail.channels import NotSent
from coldtrail.mail_texts import Language, Texts
from inventory.services.notices import NoticeView

log = logging.getLogger(__name__)

ANSWER_SECONDS = 15.0
"""For each answer of the server."""

SMTP = "smtp://host:port, smtp+starttls://user:password@host:port or smtps://..., with a password only under TLS"
ADDRESS = "an address such as coldtrail@example.org"
ADDRESSES = "addresses with commas between them, such as keeper@example.org,duty@example.org"

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
"""What needs no quoting and no SMTPUTF8, so that every server takes it."""


class Security(StrEnum):
    """How the way to the server is protected."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    TLS = "smtps"


_PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}


@dataclass(frozen=True)
class SmtpServer:
    """A server that takes mail from us."""

    host: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class MailSettings:
    """By which server mail goes, from whom to whom, and in which language."""

    server: SmtpServer
    sender: str
    recipients: tuple[str, ...]
    language: Language


def smtp_server(text: str) -> SmtpServer | None:
    """The server of a URL, or None for an empty one.

    Raises:
        ValueError: it is no such URL, or would send a password in the clear.
    """
    if not text:
        return None
    parts = urlsplit(text)
    security = Security(parts.scheme)
    username, password = (None if each is None else unquote(each) for each in (parts.username, parts.password))
    rest = parts.path.strip("/") or parts.query or parts.fragment
    if rest or not parts.hostname or parts.port == 0 or (username is None) != (password is None):
        raise ValueError("not a server")
    if username is not None and security is Security.NONE:
        raise ValueError("a password in the clear")
    for each in (parts.hostname.encode("idna").decode(), username or "", password or ""):
        if not each.isascii() or (each and not each.isprintable()):
            raise ValueError("smtplib takes only ASCII")
    return SmtpServer(parts.hostname, parts.port or _PORTS[security], security, username, password)


def address(text: str) -> str:
    """A mail address, or empty for none; ValueError for what is none."""
    if text and not _ADDRESS.fullmatch(text):
        raise ValueError(text)
    return text


def addresses(text: str) -> tuple[str, ...]:
    """Mail addresses with commas between them; ValueError where one is none."""
    found = tuple(each.strip() for each in text.split(",")) if text.strip() else ()
    if not all(found):
        raise ValueError(text)
    return tuple(dict.fromkeys(address(each) for each in found))


class Mail:
    """Sends notices as plain text, a connection each: there are few, and a server ends an idle one."""

    def __init__(self, settings: MailSettings, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._settings = settings
        self._texts = Texts(settings.language)
        self._seconds = answer_seconds

    def send(self, notice: NoticeView) -> None:
        """Hand it to the server. It is sent when the server takes it for any of the recipients.

        Raises:
            NotSent: the server was not reached, or takes it for nobody.
        """
        mail, refused = self.message(notice), None
        try:
            with self._connection() as server:
                self._introduce(server)
                refused = server.send_message(mail, self._settings.sender, self._settings.recipients)
        except (smtplib.SMTPException, OSError) as error:
            if refused is None:  # else the farewell went wrong of a server that has taken it
                raise NotSent(_why(error)) from error
        for each, (code, _) in (refused or {}).items():
            log.warning("notice %s was not taken for %s: %s", notice.id, each, code)

    def message(self, notice: NoticeView) -> EmailMessage:
        """The mail of a notice. Its Message-ID is the notice's, so that a repeat can be told from another."""
        mail = EmailMessage()
        mail["Subject"] = " ".join(self._texts.subject(notice).split())
        mail["From"] = self._settings.sender
        mail["To"] = ", ".join(self._settings.recipients)
        mail["Date"] = format_datetime(notice.created_at)
        mail["Message-ID"] = f"<notice-{notice.id}@{self._settings.sender.partition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(self._texts.text(notice))
        return mail

    def _connection(self) -> AbstractContextManager[smtplib.SMTP]:
        server = self._settings.server
        if server.security is Security.TLS:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(server.host, server.port, timeout=self._seconds, context=context)
        return smtplib.SMTP(server.host, server.port, timeout=self._seconds)

    def _introduce(self, connection: smtplib.SMTP) -> None:
        server = self._settings.server
        if server.security is Security.STARTTLS:
            connection.starttls(context=ssl.create_default_context())
        if server.username is not None and server.password is not None:
            connection.login(server.username, server.password)


def _why(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the server answered {error.smtp_code}"
    return f"the server did not take it: {type(error).__name__}"
