"""Who is told: a real HTTP server and a real SMTP server on the loopback interface, which keep what they get."""

import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.services import LOOPBACK, free_port, unavailable


@dataclass(frozen=True)
class Hit:
    """A request as it came: the path, the headers and the body."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that answers each request with the next of its statuses, the last for ever.

    Attributes:
        seconds: how long it waits before it answers.
        location: where it says that the thing is, instead.
    """

    port: int
    scheme: str = "http"
    statuses: list[int] = field(default_factory=lambda: [204])
    seconds: float = 0.0
    location: str | None = None
    hits: list[Hit] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{LOOPBACK}:{self.port}/hook?from=coldtrail"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers["Content-Length"])
        self.hits.append(Hit(request.path, dict(request.headers), request.rfile.read(length)))
        time.sleep(self.seconds)
        request.send_response(self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])
        if self.location:
            request.send_header("Location", self.location)
        request.end_headers()


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver of webhooks; with a context under TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.answer(self)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_port, "https" if context else "http")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mailbox:
    """An SMTP server that keeps what it takes.

    Attributes:
        refusal: what it says to mail instead of taking it.
        refused: recipients that it does not know.
    """

    port: int
    refusal: str | None = None
    refused: frozenset[str] = frozenset()
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: Any) -> str:  # noqa: N802
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refusal:
            return self.refusal
        assert isinstance(envelope.content, bytes)
        assert envelope.mail_from is not None
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        self.mails.append(mail)
        return "250 taken"

    def authenticate(self, *call: Any) -> AuthResult:
        *_, data = call
        assert isinstance(data, LoginPassword)
        self.logins.append(f"{data.login.decode()}:{data.password.decode()}")
        return AuthResult(success=data.password == b"pass/word")


def self_signed(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for the loopback address that is its own authority, and what a server needs to show it."""
    if which("openssl") is None:
        unavailable("there is no openssl to make a certificate with")
    certificate, key = folder / "server.crt", folder / "server.key"
    asked = "req -x509 -newkey rsa:2048 -nodes -subj /CN=receiver -days 2"
    names = ["-addext", f"subjectAltName=IP:{LOOPBACK}", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(["openssl", *asked.split(), *names], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return certificate, context


@contextmanager
def mailbox(context: ssl.SSLContext | None = None, *, starttls: bool = False) -> Iterator[Mailbox]:
    """An SMTP server; with a context under TLS, from the start or after STARTTLS, and then for those who log in."""
    box = Mailbox(free_port())
    security: dict[str, Any] = {}
    if context:
        security = {"auth_required": True, "authenticator": box.authenticate}
        security |= (
            {"tls_context": context, "require_starttls": True}
            if starttls
            else {"ssl_context": context, "auth_require_tls": False}
        )
    controller = Controller(box, hostname=LOOPBACK, port=box.port, **security)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
