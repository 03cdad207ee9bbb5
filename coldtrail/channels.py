"""What every channel of notices is."""

from collections.abc import Callable

from inventory.services.notices import NoticeView


class NotSent(Exception):
    """A notice that did not go out; the message says why without what may be secret, for it is stored and shown."""


Send = Callable[[NoticeView], None]
"""Sends a notice, or raises `NotSent`."""
