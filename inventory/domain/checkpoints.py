"""Checkpoints: what a log signs of itself, as text (C2SP tlog-checkpoint in a C2SP signed-note).

    origin
    size
    root, base64
    time 2026-01-05T04:00:00Z
    after 120

    — name base64(key id, signature)

The last two lines are some that the format leaves to the log: by which time these leaves were there, and how many the
checkpoint before was signed for, 0 for the first; so one that is gone is missed. Notes of before 0058 do not say that.
Signing and verifying are arguments, for this module takes no third party.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from inventory.domain.merkle import HASH_BYTES

ED25519 = b"\x01"
"""The algorithm's byte in a signed note."""

KEY_BYTES = 32
_ID_BYTES = 4
_NAME = re.compile(r"[^\s+\x00-\x1f]{1,64}")
_SIGNATURE = re.compile(r"— (\S+) (\S+)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_PRIVATE = "PRIVATE+KEY+"
_ERA = range(1970, 9000)
"""Years with which can be reckoned in every zone."""

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes, bytes], bool]
"""Whether a key has made a signature of a message, in this order."""


class BadNote(ValueError):
    """A text that is no checkpoint, or no key; the message says why."""


@dataclass(frozen=True)
class VerifierKey:
    """The public half of a log's key, by the name of the log: `name+hash+base64` as text."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        """By what a signature says which key has made it."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_text(ED25519 + self.key)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a key.

        Raises:
            BadNote: it is none, or its id is not that of its key.
        """
        name, key_id, key = _key_parts(text.strip())
        found = cls(name, key)
        if found.id.hex() != key_id:
            raise BadNote(f"the key's id is {key_id}; expected {found.id.hex()}, which is that of its name and key")
        return found


@dataclass(frozen=True)
class Secret:
    """The private half as it is kept in a file: `PRIVATE+KEY+name+hash+base64`."""

    verifier: VerifierKey
    seed: bytes

    def text(self) -> str:
        """The line that is kept."""
        return f"{_PRIVATE}{self.verifier.name}+{self.verifier.id.hex()}+{_text(ED25519 + self.seed)}"

    @staticmethod
    def parts(text: str) -> tuple[str, str, bytes]:
        """The name, the id in hex and the seed in a line.

        Raises:
            BadNote: it is no such line; nothing of it is told.
        """
        line = text.strip()
        if not line.startswith(_PRIVATE):
            raise BadNote(f"the key file does not begin with {_PRIVATE}")
        try:
            return _key_parts(line.removeprefix(_PRIVATE))
        except BadNote:
            raise BadNote("the key file holds no key") from None


@dataclass(frozen=True)
class Checkpoint:
    """What a log is at an instant: so many leaves, of this root, `after` a checkpoint of fewer, where that is said."""

    origin: str
    size: int
    root: bytes
    at: datetime
    after: int | None = None

    def body(self) -> str:
        """The text that is signed."""
        at = self.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        after = "" if self.after is None else f"after {self.after}\n"
        return f"{self.origin}\n{self.size}\n{_text(self.root)}\ntime {at}\n{after}"

    def signed(self, key: VerifierKey, sign: Sign) -> str:
        """The signed note."""
        body = self.body()
        return f"{body}\n— {key.name} {_text(key.id + sign(body.encode()))}\n"


@dataclass(frozen=True)
class Note:
    """A checkpoint as it was signed."""

    checkpoint: Checkpoint
    body: str
    signatures: tuple[tuple[str, bytes], ...]

    @classmethod
    def parse(cls, text: str) -> "Note":
        """Read a signed checkpoint.

        Raises:
            BadNote: it is none.
        """
        body, blank, below = text.rpartition("\n\n")
        lines = below.removesuffix("\n").split("\n")
        found = [_SIGNATURE.fullmatch(line) for line in lines]
        if not blank or not all(found):
            raise BadNote("the checkpoint has no signature below a blank line")
        signatures = tuple((match[1], _bytes(match[2], "a signature")) for match in found if match)
        return cls(_checkpoint(f"{body}\n"), f"{body}\n", signatures)

    def is_signed_by(self, key: VerifierKey, verify: Verify) -> bool:
        """Whether the log of this key has signed it: its name is the origin, and all signatures by this key are good.

        C2SP signed-note: a note with a bad signature by a known key is no good note, whatever else is on it.
        """
        mine = [
            signature[_ID_BYTES:]
            for name, signature in self.signatures
            if name == key.name == self.checkpoint.origin and signature[:_ID_BYTES] == key.id
        ]
        return bool(mine) and all(verify(key.key, each, self.body.encode()) for each in mine)


def require_name(text: str) -> str:
    """The name of a log, such as `coldtrail.example.org/county`: no space and no plus; ValueError for another."""
    if not _NAME.fullmatch(text):
        raise BadNote(f"{text!r} is no name of a log; expected up to 64 characters without spaces and plus signs")
    return text


def _checkpoint(body: str) -> Checkpoint:
    lines = body.split("\n")
    if len(lines) not in {5, 6} or not _SIZE.fullmatch(lines[1]) or not lines[3].startswith("time "):
        raise BadNote("the checkpoint is not origin, size, root and time, a line each")
    after = lines[4].removeprefix("after ") if len(lines) == 6 and lines[4].startswith("after ") else None
    if len(lines) == 6 and (after is None or not _SIZE.fullmatch(after)):
        raise BadNote("the checkpoint's last line does not say after how many leaves the one before was signed")
    root = _bytes(lines[2], "the root")
    if len(root) != HASH_BYTES:
        raise BadNote(f"the root has {len(root)} bytes; expected {HASH_BYTES}")
    try:
        at = datetime.fromisoformat(lines[3].removeprefix("time "))
    except ValueError:
        raise BadNote("the checkpoint's time is no ISO 8601 time") from None
    if at.tzinfo is None or at.year not in _ERA:
        raise BadNote("the checkpoint's time has no offset, or is not of our era")
    before = None if after is None else int(after)
    return Checkpoint(require_name(lines[0]), int(lines[1]), root, at.astimezone(UTC), before)


def _key_parts(text: str) -> tuple[str, str, bytes]:
    parts = text.split("+", 2)
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
        raise BadNote("the key is not name+hash+base64")
    key = _bytes(parts[2], "the key")
    if key[:1] != ED25519 or len(key) != 1 + KEY_BYTES:
        raise BadNote("the key is not one of Ed25519")
    return parts[0], parts[1], key[1:]


def _text(value: bytes) -> str:
    return b64encode(value).decode()


def _bytes(text: str, what: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote(f"{what} is no base64") from None
