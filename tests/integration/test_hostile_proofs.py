"""Files of proofs that somebody has made up: whatever is in them, the audit says so, and takes no more than it may."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from inventory.domain.checkpoints import Checkpoint
from inventory.domain.merkle import cover, leaf_hash, node_hash
from inventory.services.log.audit import FORMAT, BadFile, audit
from inventory.services.log.bundle import Wanted
from inventory.services.log.tree import Tree
from tests.county import HOUR, NOW, ONE
from tests.logs import ORIGIN, Logged, exported, logged
from tests.services import Template

Json = dict[str, Any]


@pytest.fixture(scope="module")
def there(database_template: Template) -> Iterator[Logged]:
    with database_template.clone() as url, logged(url) as found:
        yield found


def changed(file: Path, folder: Path, at: int, line: bytes) -> Path:
    lines = file.read_bytes().splitlines(keepends=True)
    other = folder / "changed"
    other.write_bytes(b"".join([*lines[:at], line, *lines[at + 1 :]]))
    return other


def head(file: Path, **subject: Any) -> bytes:
    found = json.loads(file.read_bytes().split(b"\n")[0])
    return json.dumps(found | {"subject": subject}).encode() + b"\n"


def test_a_file_is_of_the_batch_that_it_says(there: Logged, tmp_path: Path) -> None:
    file = exported(there, tmp_path, Wanted(batch=(ONE, there.batch)))
    other = changed(file, tmp_path, 0, head(file, of="batch", gtin=ONE, batch="ANOTHER"))
    assert audit(file, [there.key.verifier]).holds
    assert not audit(other, [there.key.verifier]).holds


def test_a_file_without_leaves_proves_nothing_of_a_batch(there: Logged, tmp_path: Path) -> None:
    first = exported(there, tmp_path, Wanted(batch=(ONE, there.batch))).read_bytes().split(b"\n")[0]
    with there.database.read() as session:
        tree = Tree(session)
        parts = cover([], there.notes[-1].checkpoint.size)
        hashes = [(level, tree.subtree(level, at)) for level, at in parts]  # type: ignore[misc]
    lines = [first, *(str(level).encode() + b" " + b64encode(each) for level, each in hashes), b""]
    (tmp_path / "none").write_bytes(b"\n".join(lines))
    assert not audit(tmp_path / "none", [there.key.verifier]).holds


def test_subtrees_of_other_levels_are_not_those_of_the_log(there: Logged, tmp_path: Path) -> None:
    """The same hashes give the same root, as if the log had fewer leaves, and these stood elsewhere."""
    first = there.leaves()[0].content.encode()
    hashes = [leaf_hash(first), *(leaf_hash(bytes([each])) for each in range(3))]
    last = node_hash(*hashes[2:])
    note = Checkpoint(ORIGIN, 4, node_hash(node_hash(*hashes[:2]), last), NOW + HOUR)
    subject = {"of": "batch", "gtin": ONE, "batch": there.batch}
    signed = note.signed(there.key.verifier, there.key.sign)
    top = json.dumps({"format": FORMAT, "subject": subject, "checkpoint": signed}).encode()
    for level, holds in ((b"1 ", True), (b"0 ", False)):
        lines = [top, first, b"0 " + b64encode(hashes[1]), level + b64encode(last), b""]
        (tmp_path / "file").write_bytes(b"\n".join(lines))
        assert audit(tmp_path / "file", [there.key.verifier]).holds is holds


@pytest.mark.parametrize(
    "line",
    [
        b"99999999999 " + b"A" * 43 + b"=\n",
        b"70 " + b"A" * 43 + b"=\n",
        b"0 AAAA\n",
        b"-1 " + b"A" * 43 + b"=\n",
    ],
)
def test_a_line_that_is_no_subtree_is_told(there: Logged, tmp_path: Path, line: bytes) -> None:
    file = exported(there, tmp_path, Wanted())
    with pytest.raises(BadFile):
        audit(changed(file, tmp_path, 1, line), [there.key.verifier])


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        (rb'"doses":20', b'"doses":' + b"9" * 40),
        (rb'"number":1,', b'"number":' + b"9" * 5000 + b","),
        (rb'"number":1,', b'"number":1e999,'),
        (rb'"recorded_at":"2', b'"recorded_at":"0001-01-01T00:00:00+14:00","x":"2'),
    ],
)
def test_a_leaf_with_numbers_beyond_all_measure_is_told(
    there: Logged, tmp_path: Path, was: bytes, instead: bytes
) -> None:
    file = exported(there, tmp_path, Wanted(batch=(ONE, there.batch)))
    other = tmp_path / "changed"
    content = file.read_bytes()
    assert was in content
    other.write_bytes(content.replace(was, instead, 1))
    with suppress(BadFile):
        assert not audit(other, [there.key.verifier]).holds


def test_a_leaf_of_another_kind_with_the_id_of_a_corrected_event_is_told(there: Logged, tmp_path: Path) -> None:
    file = exported(there, tmp_path, Wanted())
    lines = file.read_bytes().splitlines(keepends=True)
    corrected = next(json.loads(each)["event"]["reverses_id"] for each in lines if b'"reverses_id"' in each)
    forged = json.dumps(
        {"kind": "adverse-event", "stream": "x", "number": 1, "row": {"id": corrected}}, separators=(",", ":")
    )
    at = next(at for at, each in enumerate(lines) if b'"kind":"adverse-event"' in each)
    with suppress(BadFile):
        assert not audit(changed(file, tmp_path, at, forged.encode() + b"\n"), [there.key.verifier]).holds


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_a_checkpoint_of_a_time_beyond_the_calendar_is_told(there: Logged, tmp_path: Path, at: str) -> None:
    file = exported(there, tmp_path, Wanted())
    found = json.loads(file.read_bytes().split(b"\n")[0])
    lines = found["checkpoint"].split("\n")
    lines[3] = f"time {at}"
    line = json.dumps(found | {"checkpoint": "\n".join(lines)}).encode() + b"\n"
    with suppress(BadFile):
        assert not audit(changed(file, tmp_path, 0, line), [there.key.verifier]).holds
