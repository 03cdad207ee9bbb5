"""Checkpoints and keys as C2SP writes them, by the published example, and everything that is none refused."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.checkpoints import BadNote, Checkpoint, Note, VerifierKey
from inventory.domain.merkle import EMPTY, leaf_hash
from inventory.services.log import keys

PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
"""The example of the signed note's reference implementation."""

AT = datetime(2026, 1, 5, 4, tzinfo=UTC)
KEY = keys.generate("coldtrail.example.org/county")
CHECKPOINT = Checkpoint(KEY.verifier.name, 3, leaf_hash(b"x"), AT)
NOTE = CHECKPOINT.signed(KEY.verifier, KEY.sign)


def test_the_published_keys_and_signature() -> None:
    public, private = VerifierKey.parse(PUBLIC), keys.read(PRIVATE)
    assert str(public) == PUBLIC == str(private.verifier)
    assert private.text() == PRIVATE
    signature = b64decode(SIGNATURE)
    assert signature[:4] == public.id == bytes.fromhex("c74f20a3")
    assert keys.verify(public.key, signature[4:], TEXT)
    assert private.sign(TEXT) == signature[4:]
    assert not keys.verify(public.key, signature[4:], TEXT + b" ")


def test_a_checkpoint_is_origin_size_root_and_time() -> None:
    empty = Checkpoint("coldtrail.example.org/county", 0, EMPTY, AT)
    lines = ["coldtrail.example.org/county", "0", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
             "time 2026-01-05T04:00:00Z", ""]  # fmt: skip
    assert empty.body().split("\n") == lines
    note = Note.parse(NOTE)
    assert note.checkpoint == CHECKPOINT
    assert note.is_signed_by(KEY.verifier, keys.verify)


def test_a_checkpoint_says_after_which_one_it_comes() -> None:
    behind = Checkpoint(KEY.verifier.name, 3, leaf_hash(b"x"), AT, after=2)
    assert behind.body() == CHECKPOINT.body() + "after 2\n"
    note = Note.parse(behind.signed(KEY.verifier, KEY.sign))
    assert note.checkpoint == behind
    changed = behind.signed(KEY.verifier, KEY.sign).replace("after 2", "after 1")
    assert not Note.parse(changed).is_signed_by(KEY.verifier, keys.verify)


def test_the_time_is_kept_to_the_microsecond() -> None:
    exact = Checkpoint(KEY.verifier.name, 3, leaf_hash(b"x"), AT + timedelta(microseconds=1))
    assert Note.parse(exact.signed(KEY.verifier, KEY.sign)).checkpoint == exact


def test_whoever_has_another_key_or_name_has_not_signed_it() -> None:
    note = Note.parse(NOTE)
    assert not note.is_signed_by(keys.generate(KEY.verifier.name).verifier, keys.verify)
    assert not note.is_signed_by(VerifierKey("another.example.org", KEY.verifier.key), keys.verify)
    other = Checkpoint("another.example.org", 3, leaf_hash(b"x"), AT)
    assert not Note.parse(other.signed(KEY.verifier, KEY.sign)).is_signed_by(KEY.verifier, keys.verify)


@pytest.mark.parametrize("line", range(4))
def test_a_line_that_was_changed_is_not_signed(line: int) -> None:
    changes = (("county", "city"), ("3", "4"), (NOTE.split("\n")[2], NOTE.split("\n")[2][::-1].lstrip("=") + "="),
               ("04:00", "05:00"))  # fmt: skip
    changed = NOTE.split("\n")
    changed[line] = changed[line].replace(*changes[line])
    try:
        assert not Note.parse("\n".join(changed)).is_signed_by(KEY.verifier, keys.verify)
    except BadNote:
        assert line == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        CHECKPOINT.body(),
        NOTE.replace("—", "-"),
        NOTE.replace("\n3\n", "\n03\n"),
        NOTE.replace("\n3\n", "\n-3\n"),
        NOTE.replace("time ", "at "),
        NOTE.replace("Z\n", "Z\nafter\n"),
        NOTE.replace("Z\n", "Z\nafter -1\n"),
        NOTE.replace("Z\n", "Z\nbefore 1\n"),
        NOTE.replace("Z\n", "Z\nafter 1\nafter 2\n"),
        NOTE.replace("04:00:00Z", "04:00:00"),
        NOTE.replace("04:00:00Z", "25:00:00Z"),
        NOTE.replace("time", "more\ntime"),
        NOTE.replace("coldtrail", "cold trail"),
        NOTE[:-10] + "!\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Note.parse(text)


@pytest.mark.parametrize(
    "text", ["", "x", PUBLIC.replace("c7", "c8"), PUBLIC[:-4], PUBLIC.replace("+AR", "+BR"), f"a b{PUBLIC}", "a+b+%"]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        VerifierKey.parse(text)
    with pytest.raises(BadNote):
        keys.read(f"PRIVATE+KEY+{text}")


def test_a_private_key_is_never_told() -> None:
    with pytest.raises(BadNote) as refused:
        keys.read(PRIVATE.replace("+AY", "+BY"))
    assert "EKFALV" not in str(refused.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n", "x" * 65])
def test_a_log_has_a_name_without_spaces_and_plus_signs(name: str) -> None:
    with pytest.raises(BadNote):
        keys.generate(name)
