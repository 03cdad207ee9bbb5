"""The county's side of the HTTP API: JSON over connections that stay open, asked again while nobody answers."""

from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

import urllib3

_TIMEOUT = urllib3.Timeout(connect=5, read=30)
_LATER = 503
_WAIT = 0.2


class Refused(RuntimeError):
    """The service refused a request; `code` is its problem's."""

    def __init__(self, path: str, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        super().__init__(f"{path}: {status} {self.code}: {problem.get('detail', problem.get('title', ''))}")


class Stopped(RuntimeError):
    """The demonstration ends; whether the request was carried out is not known, its key will tell."""


class Api:
    """The service at an address, for as long as `stop` is not set.

    `check` is called whenever the service does not answer; it raises when it never will.
    """

    def __init__(self, url: str, stop: Event, check: Callable[[], None]) -> None:
        self.url = url
        self._stop = stop
        self._check = check
        self._pool = urllib3.PoolManager(maxsize=16, timeout=_TIMEOUT, retries=False)

    def get(self, path: str, token: str) -> Any:
        """The answer to a question.

        Raises:
            Refused: the service says no.
            Stopped: the demonstration ends.
        """
        return self._request("GET", path, token)

    def post(self, path: str, token: str, body: Mapping[str, object], key: str | None = None) -> Any:
        """The answer to a request; it is sent again with its key until there is one.

        Raises:
            Refused: the service says no.
            Stopped: the demonstration ends.
        """
        return self._request("POST", path, token, body, {"Idempotency-Key": key} if key else {})

    def is_ready(self) -> bool:
        """Whether the service can serve."""
        try:
            return self._pool.request("GET", f"{self.url}/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def _request(
        self,
        method: str,
        path: str,
        token: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        while not self._stop.is_set():
            try:
                answer = self._pool.request(method, self.url + path, json=body, headers=sent)
            except urllib3.exceptions.HTTPError:
                self._check()
                self._stop.wait(_WAIT)
                continue
            if answer.status < 400:
                return answer.json()
            if answer.status != _LATER:
                raise Refused(path, answer.status, _problem(answer))
            self._stop.wait(_WAIT)
        raise Stopped(path)


def _problem(answer: urllib3.BaseHTTPResponse) -> Mapping[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        return {"detail": answer.data[:200].decode(errors="replace")}
    return problem if isinstance(problem, dict) else {}
