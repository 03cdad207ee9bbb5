"""The API served over a real socket, and a client that speaks to it as a stranger would."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import urllib3
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from api.app import create_app
from api.context import EXTENSION
from coldtrail.delivering import read_delivery
from tests.county import County, SetClock
from tests.services import LOOPBACK

_keys = count(1)

_idle: list[Flask] = []
"""Applications that serve nobody: to make one takes longer than most tests, and it keeps nothing of whom it served."""


class _Quiet(WSGIRequestHandler):
    """A handler that does not write a line for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


@dataclass(frozen=True)
class Answer:
    """What came back: its status, its headers and its body, of which JSON is read."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The JSON in it."""
        return json.loads(self.content)

    @property
    def items(self) -> list[Any]:
        """The items of a page."""
        found: list[Any] = self.body["items"]
        return found

    def ok(self) -> Any:
        """The JSON of an answer that has to be a good one."""
        assert self.status in {200, 201}, f"{self.status}: {self.content.decode()}"
        return self.body


@dataclass(frozen=True)
class Client:
    """Sends requests as the holder of one token or another."""

    url: str
    pool: urllib3.PoolManager
    tokens: Mapping[str, str]

    def send(
        self, method: str, path: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """A request as it is, without a token."""
        response = self.pool.request(
            method, self.url + path, body=content, headers=dict(headers or {}), retries=False, redirect=False
        )
        return Answer(response.status, response.headers, response.data)

    def get(self, path: str, who: str = "auditor", /, **query: object) -> Answer:
        """A GET under /api/v1 with a query."""
        address = f"/api/v1{path}" + (f"?{urlencode(query)}" if query else "")
        return self.send("GET", address, headers=self.bearer(who))

    def post(self, path: str, body: object, who: str = "admin", key: str | None = None) -> Answer:
        """A POST under /api/v1 of JSON, with an Idempotency-Key that is new unless one is given."""
        return self.post_raw(path, json.dumps(body).encode(), who, key)

    def post_raw(self, path: str, content: bytes, who: str = "admin", key: str | None = None) -> Answer:
        """The same of any bytes."""
        headers = {"Idempotency-Key": new_key() if key is None else key, "Content-Type": "application/json"}
        return self.send("POST", f"/api/v1{path}", content, headers | self.bearer(who))

    def bearer(self, who: str) -> dict[str, str]:
        """The header of a token's holder."""
        return {"Authorization": f"Bearer {self.tokens[who]}"}


def new_key() -> str:
    """An Idempotency-Key that no request had."""
    return f"key-{next(_keys)}"


@dataclass(frozen=True)
class Server:
    """A county that is served: its application, its clock and a client."""

    county: County
    clock: SetClock
    app: Flask
    client: Client


@contextmanager
def serving(county: County, connections: int = 4) -> Iterator[Server]:
    """Serve a county on a free port for as long as it is needed."""
    clock = SetClock()
    app = _idle.pop() if _idle else create_app(county.database, clock, read_delivery)
    app.extensions[EXTENSION] = {"database": county.database, "clock": clock}
    listener = make_server(LOOPBACK, 0, app, threaded=True, request_handler=_Quiet)
    thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    pool = urllib3.PoolManager(maxsize=connections, timeout=30.0)
    try:
        yield Server(county, clock, app, Client(f"http://{LOOPBACK}:{listener.port}", pool, county.tokens))
    finally:
        pool.clear()
        listener.shutdown()
        thread.join()
        listener.server_close()
        _idle.append(app)
