"""Gateway buffers that are closed with the test that opened them."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol

import pytest

from mqtt_ingest.buffer import Buffer


class OpenBuffer(Protocol):
    """Opens a buffer, in memory where no file is named."""

    def __call__(self, path: Path | None = None) -> Buffer:
        """The buffer."""


@pytest.fixture
def open_buffer() -> Iterator[OpenBuffer]:
    with ExitStack() as opened:
        yield lambda path=None: opened.enter_context(closing(Buffer(path)))
