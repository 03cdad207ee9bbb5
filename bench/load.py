"""A cheap client: one thread, raw sockets, requests that are nearly ready, so that what is measured is the server."""

import re
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

Address = tuple[str, int]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_GOOD = re.compile(rb"HTTP/1\.1 20[01] ")
_MOMENT = 0.02
_PATIENCE = 60.0
"""Seconds that an answer may take before the benchmark is given up."""


class BadAnswer(RuntimeError):
    """A server refused, and a benchmark of refusals means nothing."""


@dataclass(frozen=True)
class Round:
    """How many requests were answered in how many seconds, and how many of those the client itself was at work."""

    requests: int
    seconds: float
    client_seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def client_share(self) -> float:
        """The part of one core that the client used; near 1 it, and not the server, would be what is measured."""
        return self.client_seconds / self.seconds


class _Connection:
    """One keep-alive connection, on which one request at a time is answered."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, _PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answer = b""

    def send(self, request: bytes) -> None:
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take in what has come; whether the answer is whole."""
        part = self.socket.recv(1 << 18)
        self._answer += part
        head, ended, body = self._answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if ended else None
        if part and (not ended or (length and len(body) < int(length[1]))):
            return False
        if not length or not _GOOD.match(head):
            raise BadAnswer(self._answer.decode(errors="replace"))
        self._answer = b""
        return True


def _connected(address: Address) -> _Connection:
    """A connection, a moment after the one before: those that come at once are all taken by one of the workers."""
    time.sleep(_MOMENT)
    return _Connection(address)


def drive(address: Address, next_request: Callable[[], bytes], connections: int, seconds: float) -> Round:
    """Keep so many connections busy for so long; what is under way at the end is waited for and counted.

    Raises:
        BadAnswer: an answer was not 200 or 201.
    """
    with selectors.DefaultSelector() as selector:
        clients = [_connected(address) for _ in range(connections)]
        began, worked = time.perf_counter(), time.thread_time()
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.send(next_request())
        done = _answered(selector, next_request, connections, began + seconds)
        for client in clients:
            client.socket.close()
    return Round(done, time.perf_counter() - began, time.thread_time() - worked)


def _answered(selector: selectors.BaseSelector, next_request: Callable[[], bytes], under_way: int, until: float) -> int:
    done = 0
    while under_way:
        ready = selector.select(_PATIENCE)
        if not ready:
            raise BadAnswer(f"no answer in {_PATIENCE:g} s")
        for key, _ in ready:
            client: _Connection = key.data
            if not client.receive():
                continue
            done += 1
            if time.perf_counter() < until:
                client.send(next_request())
            else:
                under_way -= 1
    return done
