"""The syntax of Berlinger's exports: `key: value`, several of them joined by a comma, one space deeper a level."""

import re
from collections.abc import Iterator, Mapping
from typing import Union

from inventory.strict_json import BadPayload

Branch = Mapping[str, Union[str, "Branch"]]
"""Keys with their text, or with what is indented below them."""

_NEXT_PAIR = re.compile(r", (?=[^,:]+:)")


def tree(text: str) -> Branch:
    """The lines of `text` as a tree; a key without a value opens what is indented below it.

    Raises:
        BadPayload: a line is no `key: value`, or is indented below nothing.
    """
    root: dict[str, str | Branch] = {}
    path = [root]
    for number, line in enumerate(text.splitlines(), 1):
        words = line.lstrip(" ")
        depth = len(line) - len(words)
        if not words.strip():
            continue
        if depth >= len(path):
            raise BadPayload(f"line {number} is indented below nothing: {line[:40]!r}")
        del path[depth + 1 :]
        for key, value in _pairs(words, number):
            if value:
                path[depth][key] = value
            else:
                below: dict[str, str | Branch] = {}
                path[depth][key] = below
                path[depth + 1 :] = [below]
    return root


def branch(parent: Branch, key: str) -> Branch:
    """What is indented below `key`, or BadPayload."""
    below = parent.get(key)
    if not isinstance(below, Mapping):
        raise BadPayload(f"{key!r} is missing or has nothing below it")
    return below


def branches(parent: Branch) -> Iterator[Branch]:
    """All that is indented below any key of `parent`, in the file's order."""
    return (below for below in parent.values() if isinstance(below, Mapping))


def leaf(parent: Branch, key: str) -> str:
    """The text of `key`, or BadPayload."""
    text = parent.get(key)
    if not isinstance(text, str):
        raise BadPayload(f"{key!r} is missing or has no text")
    return text


def _pairs(words: str, number: int) -> Iterator[tuple[str, str]]:
    for pair in _NEXT_PAIR.split(words):
        key, colon, value = pair.partition(":")
        if not colon:
            raise BadPayload(f"line {number} is no 'key: value': {words[:40]!r}")
        yield key.strip(), value.strip()
