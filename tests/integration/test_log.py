"""The log: every fact once whatever the order of commits, signed, proved, and audited without a database."""

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, func, insert, select, update

from coldtrail.cli import main
from coldtrail.log_command import LogKeeper
from inventory.domain.checkpoints import Note
from inventory.domain.errors import Code, Conflict
from inventory.domain.merkle import is_consistent, is_included, leaf_hash
from inventory.domain.notices import NoticeKind
from inventory.persistence.database import Database
from inventory.persistence.statements import core
from inventory.persistence.tables import LogCheckpoint, LogLeaf, LogState, Notice, StockEvent
from inventory.services.ids import new_id
from inventory.services.log import bundle, checkpoints, keys, sequencer
from inventory.services.log.audit import BadFile, Finding, audit
from inventory.services.log.bundle import Wanted
from inventory.services.log.verification import Checked, verify_log
from tests.county import HOUR, MINUTE, NOW, ONE, build
from tests.http import Client, serving
from tests.logs import FIRST, ORIGIN, SECOND, Logged, logged
from tests.orders import administration, at_site
from tests.services import Template
from tests.tampering import tamper


@pytest.fixture(scope="module")
def there(database_template: Template) -> Iterator[Logged]:
    with database_template.clone() as url, logged(url) as found:
        yield found


@pytest.fixture
def client(there: Logged) -> Client:
    return there.server.client


def exported(there: Logged, folder: Path, wanted: Wanted) -> Path:
    file = folder / "trail.proof"
    with file.open("wb") as made:
        made.writelines(bundle.lines(there.database, wanted))
    return file


def audited(there: Logged, file: Path, old: Note | None = None) -> Finding:
    return audit(file, [there.key.verifier], old)


def test_every_fact_is_in_one_leaf_in_the_order_of_its_stream(there: Logged) -> None:
    leaves = there.leaves()
    assert [leaf.number for leaf in leaves] == list(range(len(leaves)))
    with there.database.read() as session:
        events = session.scalar(select(func.count()).select_from(StockEvent))
    assert sum(leaf.kind == "stock-event" for leaf in leaves) == events
    for stream in {leaf.stream_id for leaf in leaves}:
        numbers = [leaf.stream_number for leaf in leaves if leaf.stream_id == stream]
        assert numbers == list(range(1, len(numbers) + 1))
    assert sequencer.append(there.database, SECOND) == 0


def test_inclusion_over_http(there: Logged, client: Client) -> None:
    root = there.notes[-1].checkpoint.root
    proof = client.get("/log/inclusion", event=there.administration).ok()
    note = Note.parse(proof["checkpoint"])
    hashes = [b64decode(each) for each in proof["hashes"]]
    leaf = leaf_hash(proof["leaf"].encode())
    assert note.checkpoint.root == root
    assert note.is_signed_by(there.key.verifier, keys.verify)
    assert leaf == b64decode(proof["leaf_hash"])
    assert is_included(proof["index"], note.checkpoint.size, leaf, hashes, root)
    assert json.loads(proof["leaf"])["event"]["id"] == there.administration
    version = next(leaf for leaf in there.leaves() if leaf.kind == "excursion-version")
    found = client.get("/log/inclusion", excursion=str(version.fact_id), version=1).ok()
    assert (found["kind"], found["index"]) == ("excursion-version", version.number)


def test_consistency_over_http(there: Logged, client: Client) -> None:
    old, new = (note.checkpoint for note in there.notes)
    proof = client.get("/log/consistency", **{"from": old.size, "to": new.size}).ok()
    hashes = [b64decode(each) for each in proof["hashes"]]
    assert (proof["from"], proof["to"]) == (old.size, new.size)
    assert is_consistent(old.size, new.size, old.root, new.root, hashes)


def test_the_checkpoint_over_http_is_the_signed_note_as_text(there: Logged, client: Client) -> None:
    answer = client.get("/log/checkpoint")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert Note.parse(answer.content.decode()) == there.notes[-1]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("inclusion", {}, 422),
        ("inclusion", {"event": str(UUID(int=1)), "adverse_event": str(UUID(int=1))}, 422),
        ("inclusion", {"excursion": str(UUID(int=1))}, 422),
        ("inclusion", {"event": str(UUID(int=1)), "version": 1}, 422),
        ("inclusion", {"event": str(UUID(int=1))}, 404),
        ("consistency", {"from": 3}, 422),
        ("consistency", {"from": 0, "to": 1}, 422),
        ("consistency", {"from": 2, "to": 1}, 422),
        ("consistency", {"from": 1, "to": 10**9}, 422),
    ],
)
def test_what_cannot_be_proved_is_refused(client: Client, path: str, query: dict[str, Any], status: int) -> None:
    assert client.get(f"/log/{path}", **query).status in {status, 400 if status == 422 else status}


def test_a_batch_is_audited_without_a_database(there: Logged, tmp_path: Path) -> None:
    file = exported(there, tmp_path, Wanted(batch=(ONE, there.batch)))
    found = audited(there, file)
    assert found.faults == ()
    (stream,) = found.audit.streams.values()
    assert (stream.first, stream.last, stream.events) == (1, 22, 22)
    assert stream.name == f"batch {ONE} {there.batch}"
    assert {**stream.doses} == {"received": 20, "in": 20, "administered": 14, "out": 14}


def test_the_chain_of_an_administration_is_audited(there: Logged, tmp_path: Path) -> None:
    found = audited(there, exported(there, tmp_path, Wanted(administration=UUID(there.administration))))
    assert (found.faults, found.leaves, found.audit.is_corrected) == ((), 4, False)


def test_the_chain_of_a_corrected_administration_says_so(there: Logged, tmp_path: Path) -> None:
    with there.database.read() as session:
        given = session.scalar(select(StockEvent.reverses_id).where(StockEvent.reverses_id.is_not(None)))
    found = audited(there, exported(there, tmp_path, Wanted(administration=given)))
    assert (found.faults, found.leaves, found.audit.is_corrected) == ((), 5, True)


def test_the_whole_log_is_audited(there: Logged, tmp_path: Path) -> None:
    found = audited(there, exported(there, tmp_path, Wanted()), there.notes[0])
    assert found.faults == ()
    assert found.leaves == there.notes[-1].checkpoint.size


def test_a_part_is_held_against_an_older_checkpoint_by_its_proof(there: Logged, tmp_path: Path) -> None:
    since = Wanted(batch=(ONE, there.batch), since=there.notes[0].checkpoint.size)
    assert audited(there, exported(there, tmp_path, since), there.notes[0]).faults == ()
    without = exported(there, tmp_path, Wanted(administration=UUID(there.administration)))
    (fault,) = audited(there, without, there.notes[0]).faults
    assert "has no proof from" in fault


def test_a_log_that_was_rewritten_since_is_found(there: Logged, tmp_path: Path) -> None:
    old = there.notes[0].checkpoint
    forged = type(old)(old.origin, old.size, leaf_hash(b"something else"), old.at)
    other = Note.parse(forged.signed(there.key.verifier, there.key.sign))
    for wanted in (Wanted(), Wanted(batch=(ONE, there.batch), since=old.size)):
        (fault,) = audited(there, exported(there, tmp_path, wanted), other).faults
        assert fault.endswith("it was rewritten")


def test_a_key_that_did_not_sign_proves_nothing(there: Logged, tmp_path: Path) -> None:
    file = exported(there, tmp_path, Wanted(batch=(ONE, there.batch)))
    found = audit(file, [keys.generate(ORIGIN).verifier])
    assert found.faults == ("the checkpoint is not signed by any of the given keys",)
    assert audit(file, [keys.generate(ORIGIN).verifier, there.key.verifier]).holds  # a key that was changed


def _lines(there: Logged, folder: Path) -> list[bytes]:
    return exported(there, folder, Wanted(batch=(ONE, there.batch))).read_bytes().splitlines(keepends=True)


def test_a_file_that_was_changed_in_any_line_is_found(there: Logged, tmp_path: Path) -> None:
    lines, file = _lines(there, tmp_path), tmp_path / "changed"
    for at in range(1, len(lines)):
        changed = lines[at].replace(b'"number":', b'"number": ') if lines[at][:1] == b"{" else None
        for instead in ([changed] if changed else [], [], [lines[at], lines[at]]):
            file.write_bytes(b"".join([*lines[:at], *instead, *lines[at + 1 :]]))
            with suppress(BadFile):
                assert not audited(there, file).holds


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]\n", b'{"format":"coldtrail-proof-1","subject":{"of":"log"},"checkpoint":"x"}\n', b"\xff\n"],
)
def test_what_is_no_file_of_proofs_is_told(there: Logged, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(BadFile):
        audited(there, tmp_path / "file")


def test_one_that_is_committed_late_is_not_skipped(database_url: str) -> None:
    """The event with the lower id is committed after the one with the higher id has its leaf."""
    with closing(Database(database_url)) as database, serving(build(database)) as server:
        batch = at_site(server.client, 10)
        with database.read() as session:
            event = dict(session.execute(select(core(StockEvent)).limit(1)).mappings().one())
        late, early = new_id(), None
        early = server.client.post("/administrations", administration(batch), "nurse-a").ok()["events"][0]["id"]
        assert late < UUID(early)
        assert sequencer.append(database, NOW, MINUTE) == 4
        database.write(lambda session: session.execute(insert(StockEvent).values(event | {"id": late})))
        assert sequencer.append(database, NOW, MINUTE) == 1
        with database.read() as session:
            order = session.scalars(select(LogLeaf.fact_id).order_by(LogLeaf.number)).all()
        assert order[-2:] == [UUID(early), late]


def test_one_of_old_is_found_by_the_sweep(database_url: str) -> None:
    with closing(Database(database_url)) as database, serving(build(database)) as server:
        at_site(server.client, 10)
        sequencer.append(database, NOW)
        with database.read() as session:
            event = dict(session.execute(select(core(StockEvent)).limit(1)).mappings().one())
        old = UUID(int=new_id().int - (2 * 3_600_000 << 80))
        database.write(lambda session: session.execute(insert(StockEvent).values(event | {"id": old})))
        assert sequencer.append(database, NOW, sequencer.NOW_AND_THEN) == 0
        assert sequencer.append(database, NOW) == 1


def test_sequencers_and_writers_at_once_make_one_log(database_url: str) -> None:
    with closing(Database(database_url)) as database, serving(build(database)) as server:
        batch = at_site(server.client, 30)
        posts = [
            Thread(target=server.client.post, args=("/administrations", administration(batch), "nurse-a"))
            for _ in range(20)
        ]
        keepers = [Thread(target=sequencer.append, args=(database, NOW, HOUR)) for _ in range(8)]
        threads = [each for pair in zip(posts, keepers, strict=False) for each in pair] + posts[8:]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        sequencer.append(database, NOW)
        *found, checked = verify_log(database, [])
        assert (found, checked) == ([], Checked(23, 0, 0))


def test_a_checkpoint_is_signed_when_there_is_something_new_and_told_once_a_day(database_url: str) -> None:
    day = timedelta(days=1)
    with closing(Database(database_url)) as database, serving(build(database)) as server:
        key = keys.generate(ORIGIN)
        assert checkpoints.sign(database, key, NOW, day) is None
        batch = at_site(server.client, 10)
        sequencer.append(database, NOW)
        first = checkpoints.sign(database, key, NOW, day)
        assert checkpoints.sign(database, key, NOW + HOUR, day) is None
        server.client.post("/administrations", administration(batch), "nurse-a").ok()
        sequencer.append(database, NOW)
        assert checkpoints.sign(database, key, NOW + HOUR, day) is not None
        with database.read() as session:
            told = session.scalars(select(Notice).where(Notice.kind == NoticeKind.CHECKPOINT)).all()
        assert [each.body["checkpoint"] for each in told] == [first]


def test_a_checkpoint_is_signed_as_often_by_the_clock_that_is_shown(database_url: str) -> None:
    """A demonstration's goes through hours between two of the machine's half minutes."""
    shown = [NOW]
    with closing(Database(database_url)) as database, serving(build(database)) as server:
        keeper = LogKeeper(database, keys.generate(ORIGIN), lambda: shown[0], None)
        for minutes, signed in ((0, 0), (9, 0), (10, 1), (19, 1), (40, 2)):
            shown[0] = NOW + minutes * MINUTE
            keeper.round()
            with database.read() as session:
                assert session.scalar(select(func.count()).select_from(LogCheckpoint)) == signed, minutes
            at_site(server.client, 10)


def test_a_log_that_was_changed_is_not_signed_again_nor_built_on(database_url: str) -> None:
    with closing(Database(database_url)) as database, serving(build(database)) as server:
        batch = at_site(server.client, 10)
        keeper = LogKeeper(database, keys.generate(ORIGIN), lambda: NOW, None)
        keeper.round()
        tamper(database, update(LogLeaf).where(LogLeaf.number == 1).values(hash=leaf_hash(b"other")))
        server.client.post("/administrations", administration(batch), "nurse-a").ok()
        keeper.round()
        with pytest.raises(Conflict) as refused:
            keeper.sign()
        assert refused.value.code is Code.LOG_DIFFERS
        tamper(database, delete(LogLeaf).where(LogLeaf.number == 3))
        server.client.post("/administrations", administration(batch), "nurse-a").ok()
        with pytest.raises(Conflict) as refused:
            keeper.round()
        assert refused.value.code is Code.LOG_DIFFERS
        with database.read() as session:
            assert session.scalars(select(LogCheckpoint.size)).all() == [3]


def test_a_log_whose_size_was_changed_is_not_built_on(database_url: str) -> None:
    with closing(Database(database_url)) as database, serving(build(database)) as server:
        batch = at_site(server.client, 10)
        sequencer.append(database, NOW)
        tamper(database, update(LogState).values(size=1))
        server.client.post("/administrations", administration(batch), "nurse-a").ok()
        with pytest.raises(Conflict):
            sequencer.append(database, NOW)


def test_by_the_commands(there: Logged, tmp_path: Path) -> None:
    url = there.database.engine.url.render_as_string(hide_password=False)

    def run(*arguments: str, **environment: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, arguments, env={"COLDTRAIL_DATABASE_URL": url, **environment})
        return done.exit_code, done.output

    secret, public, file = tmp_path / "log.key", tmp_path / "log.pub", tmp_path / "trail.proof"
    assert run("keys", "generate", str(secret), "--name", ORIGIN)[0] == 0
    assert (secret.stat().st_mode & 0o777, run("keys", "generate", str(secret), "--name", ORIGIN)[0]) == (0o600, 1)
    public.write_text(f"{run('keys', 'show', str(secret))[1]}{there.key.verifier}\n")
    assert run("log", "run", "--once", COLDTRAIL_LOG_KEY_FILE=str(secret))[0] == 0  # nothing is new: nothing is signed
    code, note = run("log", "checkpoint", "--svg", str(tmp_path / "code.svg"))
    assert (code, Note.parse(note)) == (0, there.notes[-1])
    assert "<svg" in (tmp_path / "code.svg").read_text()
    (tmp_path / "held").write_text(note)
    assert run("export", "trail", "-o", str(file), "--batch", f"{ONE}/{there.batch}")[0] == 0
    code, said = run("audit", str(file), "--key", str(public), "--consistent-with", str(tmp_path / "held"))
    assert (code, f"batch {ONE} {there.batch}: leaves 1 to 22, none missing; received 20 = left 6" in said) == (0, True)
    assert "not proved: that nothing came behind it" in said
    code, said = run("verify", "log", "--key", str(public), "--checkpoint", str(tmp_path / "held"))
    assert (code, said) == (
        0,
        f"{len(there.leaves())} leaves, 2 checkpoints, 0 facts not in it yet: as it was signed\n",
    )
    secret.chmod(0o644)
    assert "can be read by others" in run("log", "run", "--once", COLDTRAIL_LOG_KEY_FILE=str(secret))[1]
    assert run("audit", str(public), "--key", str(public))[0] == 1
    assert run("audit", str(file), "--key", "nonsense")[0] == 1
    assert run("export", "trail", "-o", str(file))[0] == 2
    assert FIRST < SECOND


def test_a_keeper_beats_after_a_good_round_and_not_on_a_log_that_was_changed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coldtrail.log_command.LOOK_BACK_SECONDS", 0.01)
    with closing(Database(database_url)) as database:
        keeper, rounds, beats = LogKeeper(database, None, lambda: NOW, None), list[int](), list[int]()

        def round_() -> None:
            rounds.append(len(rounds))
            if len(rounds) < 3:
                raise Conflict(Code.LOG_DIFFERS, "log", None, "a log that nobody changed")

        def beat() -> None:
            beats.append(len(rounds))
            keeper.stop.set()

        monkeypatch.setattr(keeper, "round", round_)
        keeper.run(beat)
    assert beats == [3]


def test_of_an_empty_log_nothing_is_proved(database_url: str, tmp_path: Path) -> None:
    with closing(Database(database_url)) as database:
        url = database.engine.url.render_as_string(hide_password=False)
    key = str(keys.generate(ORIGIN).verifier)
    done = CliRunner().invoke(main, ["verify", "log", "--key", key], env={"COLDTRAIL_DATABASE_URL": url})
    said = "0 leaves, 0 checkpoints, 0 facts not in it yet: nothing is signed, so nothing is proved\n"
    assert (done.exit_code, done.output) == (0, said)


def test_a_checkpoint_says_after_which_one_it_was_signed(there: Logged) -> None:
    first, second = there.notes
    assert (first.checkpoint.after, second.checkpoint.after) == (0, first.checkpoint.size)


def test_after_a_checkpoint_that_was_deleted_the_next_says_that_it_was_there(database_url: str) -> None:
    with closing(Database(database_url)) as database, serving(build(database)) as server:
        key, batch = keys.generate(ORIGIN), at_site(server.client, 10)
        sequencer.append(database, NOW)
        checkpoints.sign(database, key, NOW)
        tamper(database, delete(LogCheckpoint))
        server.client.post("/administrations", administration(batch), "nurse-a").ok()
        sequencer.append(database, NOW)
        checkpoints.sign(database, key, NOW)
        found = [each for each in verify_log(database, [key.verifier]) if isinstance(each, str)]
    assert found == ["log_checkpoint 3: is gone, and log_checkpoint 4 was signed after it"]
