"""What a review of packs and of the log found, each as the thing that must be."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from coldtrail.cli import main
from coldtrail.log_command import LogKeeper
from inventory.clock import ScaledClock, system_clock
from inventory.domain.checkpoints import Note
from inventory.domain.errors import Code, Unavailable
from inventory.domain.scans import PackScan
from inventory.persistence.database import Database
from inventory.persistence.tables import Excursion, LogCheckpoint
from inventory.services import pack_files, scans
from inventory.services.log import bundle, checkpoints, keys, sequencer
from inventory.services.log.audit import audit
from inventory.services.log.bundle import Wanted
from inventory.services.log.keys import SigningKey
from inventory.services.log.verification import findings, verify_log
from inventory.services.verification import verify
from tests.county import EXPIRY, HOUR, MINUTE, NOW, ONE, TWO, build
from tests.http import Client, Server, serving
from tests.logs import ORIGIN, Logged, logged
from tests.orders import administration, at_site, dispatch, new_batch, receipt, stated
from tests.packed import Case
from tests.services import Template
from tests.tampering import tamper, tampered

Json = dict[str, Any]


@pytest.fixture(scope="module")
def there(database_template: Template) -> Iterator[Logged]:
    with database_template.clone() as url, logged(url) as found:
        yield found


def command(there: Logged, *arguments: str) -> tuple[int, str]:
    url = there.database.engine.url.render_as_string(hide_password=False)
    done = CliRunner().invoke(main, arguments, env={"COLDTRAIL_DATABASE_URL": url})
    return done.exit_code, done.output


def test_doses_of_a_carton_out_of_two_vials_are_all_on_record(server: Server) -> None:
    """An administration that uses one vial up and opens the next takes from two custodies by one code."""
    client = server.client
    case = Case(client, cartons=1, vials=3, gtin=TWO, per_vial=2).at_site()
    (carton,) = case.cartons
    given = {"gtin": TWO, "pack": carton}
    client.post("/administrations", administration(case.batch, 1, **given), "nurse-a").ok()
    over = client.post("/administrations", administration(case.batch, 2, **given), "nurse-a").ok()
    assert case.get(carton)["remaining"] == 3
    assert verify(server.county.database).faults == ()
    wrong = {"occurred_at": stated(NOW), "reason": "a slip of the finger"}
    client.post(f"/events/{over['events'][-1]['id']}/reversal", wrong, "nurse-a").ok()
    assert case.get(carton)["remaining"] == 5
    assert verify(server.county.database).faults == ()


@pytest.mark.parametrize(
    "change",
    [
        {"gtin": []},
        {"batch": {}},
        {"expiry": []},
        {"packs": [{"code": "AAAA1", "doses": []}]},
        {"packs": [{"code": "AAAA1", "doses": {}}]},
        {"packs": [{"code": "AAAA1", "parent": []}]},
        {"packs": [{"code": "AAAA1", "parent": 0}]},
        {"packs": [{"code": "AAAA1", "doses": 10**12}]},
        {"packs": [{"code": "AAAA1"}, *({"code": f"AAAA1{n}", "parent": "AAAA1", "doses": 10**9} for n in range(3))]},
    ],
)
def test_a_file_of_packs_with_values_of_other_types_is_refused(client: Client, change: Json) -> None:
    document = {"gtin": ONE, "batch": new_batch(), "expiry": EXPIRY.isoformat(), "packs": [{"code": "AAAA1"}]}
    answer = client.post("/pack-files", document | change, "keeper")
    assert (answer.status, answer.body["code"]) == (422, "malformed")


@pytest.mark.parametrize(
    "rows",
    [
        "gtin,batch,expiry,code\n{0},{1},2026-06-30,AAAA1\n{0},{1},2026-06-30,AAAA2,X\n",
        "gtin,batch,expiry,code,code\n{0},{1},2026-06-30,AAAA1,AAAA2\n",
    ],
)
def test_a_row_with_more_cells_than_names_is_refused(client: Client, rows: str) -> None:
    """A comma in a serial number would cut it off, and a code is one pack's for ever."""
    headers = {"Content-Type": "text/csv"} | client.bearer("keeper")
    answer = client.send("POST", "/api/v1/pack-files", rows.format(ONE, new_batch()).encode(), headers)
    assert (answer.status, answer.body["code"]) == (422, "malformed")


def test_a_chain_whose_ways_pass_one_event_at_two_heights_is_whole(database_url: str, tmp_path: Path) -> None:
    """Doses of one administration come out of two custodies; the shipment of both is met twice, one move apart."""
    with closing(Database(database_url)) as database, serving(build(database)) as server:
        client, batch = server.client, new_batch()
        here = {"facility": "COUNTY", "appliance": "COUNTY-ROOM"}
        for hours in (5, 4):
            client.post("/receipts", receipt(batch, 1, **here, occurred_at=stated(NOW - hours * HOUR))).ok()
        shipment = client.post("/shipments", dispatch(batch, 2)).ok()["shipment"]
        arrived = {"appliance": "A-FRIDGE", "occurred_at": stated(NOW - HOUR), "transport": {"arrival_celsius": 5}}
        opened = client.post(f"/shipments/{shipment}/receipts", arrived).ok()["events"][0]["movements"]
        hold = {"facility": "SITE-A", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW - HOUR / 2)}
        client.post("/holds", hold | {"custody": opened[0]["to_custody"], "reason": "cracked"}).ok()
        client.post("/releases", hold | {"reason": "not cracked"}).ok()
        given = client.post("/administrations", administration(batch, 2), "nurse-a").ok()["events"][-1]["id"]
        key, file = keys.generate(ORIGIN), tmp_path / "chain"
        sequencer.append(database, NOW)
        assert checkpoints.sign(database, key, NOW) is not None
        with file.open("wb") as made:
            made.writelines(bundle.lines(database, Wanted(administration=UUID(given))))
        assert audit(file, [key.verifier]).faults == ()


def test_a_chain_that_is_in_no_checkpoint_yet_is_refused(there: Logged, tmp_path: Path) -> None:
    client = there.server.client
    given = client.post("/administrations", administration(there.batch), "nurse-a").ok()["events"][-1]["id"]
    batch = at_site(client, 2)
    file = tmp_path / "trail.proof"
    file.write_text("an older proof")
    assert command(there, "export", "trail", "-o", str(file), "--administration", given)[0] == 1
    assert command(there, "export", "trail", "-o", str(file), "--batch", f"{ONE}/{batch}")[0] == 1
    assert file.read_text() == "an older proof"


def test_a_sweep_that_failed_is_made_again(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Database(database_url)) as database:
        build(database)
        keeper, asked = LogKeeper(database, None, lambda: NOW, None), list[timedelta | None]()
        answers: Iterator[int | Exception] = iter([Unavailable(Code.DATABASE_AWAY, "database", "", ""), 0, 0])

        def append(_database: Database, _now: object, window: timedelta | None) -> int:
            asked.append(window)
            answer = next(answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(sequencer, "append", append)
        with pytest.raises(Unavailable):
            keeper.round()
        keeper.round()
        keeper.round()
        assert asked[:2] == [None, None]
        assert asked[2] is not None


def test_a_look_goes_back_to_the_last_one_however_fast_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version of an excursion is looked for by the service's clock, which in a demonstration is not the machine's."""
    asked: list[timedelta | None] = []

    def append(_database: Database, _now: object, window: timedelta | None) -> int:
        asked.append(window)
        return 0

    monkeypatch.setattr(sequencer, "append", append)
    times = iter([NOW, NOW + 90 * MINUTE, NOW + 95 * MINUTE, NOW + 94 * MINUTE])
    with closing(Database("sqlite://")) as database:
        keeper = LogKeeper(database, None, lambda: next(times), None)
        for _ in range(4):
            keeper.round()
    assert asked == [None, 150 * MINUTE, 6 * MINUTE, MINUTE]


def test_a_fact_that_was_long_under_way_by_the_clock_that_is_shown_is_found_by_the_next_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What takes seconds on the machine takes hours by a demonstration's clock, and no look back comes meanwhile."""
    asked: list[timedelta] = []

    def append(_database: Database, _now: object, window: timedelta | None) -> int:
        asked.append(window or timedelta())
        return 0

    monkeypatch.setattr(sequencer, "append", append)
    with closing(Database("sqlite://")) as database:
        keeper = LogKeeper(database, None, ScaledClock(system_clock(), NOW, 200), None)
        for _ in range(3):
            keeper.round()
    _, look_back, look = asked
    assert look_back >= 200 * HOUR
    assert 200 * MINUTE <= look < 210 * MINUTE


def test_a_log_without_its_checkpoints_is_not_as_it_was_signed(database_url: str) -> None:
    with closing(Database(database_url)) as database, serving(build(database)) as server:
        key, batch = keys.generate(ORIGIN), at_site(server.client, 10)
        sequencer.append(database, NOW)
        checkpoints.sign(database, key, NOW)
        for later in (MINUTE, 2 * HOUR):
            server.clock.at = NOW + later
            server.client.post("/administrations", administration(batch), "nurse-a").ok()
        sequencer.append(database, NOW + 2 * HOUR)
        checkpoints.sign(database, key, NOW + 2 * HOUR)
        assert faults(database, key) == []
        tamper(database, delete(LogCheckpoint).where(LogCheckpoint.size == 5))
        gone, found = faults(database, key)
        assert gone == "log_checkpoint 5: is gone, and was the newest"
        assert "none is there of the newest leaves" in found
        tamper(database, delete(LogCheckpoint))
        *_, found = faults(database, key)
        assert "no checkpoint is there, of 5 leaves" in found


def faults(database: Database, key: SigningKey) -> list[str]:
    return [each for each in verify_log(database, [key.verifier]) if isinstance(each, str)]


def test_the_rule_of_an_excursion_is_in_the_leaves_of_its_verdicts(there: Logged) -> None:
    with tampered(there.database) as session:
        session.execute(update(Excursion).values(threshold=850))
        found = [each for each in findings(session, [there.key.verifier]) if isinstance(each, str)]
    assert [each for each in found if "rule.threshold was 800, is 850" in each], found


def test_a_checkpoint_with_a_bad_signature_beside_the_good_one_is_not_signed(there: Logged) -> None:
    note, key = there.notes[-1].checkpoint, there.key
    good = note.signed(key.verifier, key.sign)
    bad = note.signed(key.verifier, lambda _: key.sign(b"something else")).splitlines(keepends=True)[-1]
    other = note.signed(keys.generate("another.example.org").verifier, key.sign).splitlines(keepends=True)[-1]
    assert Note.parse(good + other).is_signed_by(key.verifier, keys.verify)
    assert not Note.parse(good + bad).is_signed_by(key.verifier, keys.verify)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE custody SET remaining = remaining, doses = doses",
        "UPDATE custody SET doses = doses WHERE false OR remaining >= 0",
        "INSERT INTO custody SELECT * FROM custody WHERE true ON CONFLICT (id, batch_id) DO UPDATE SET doses = 1",
        "INSERT INTO movement SELECT * FROM movement WHERE true ON CONFLICT (id, batch_id) DO UPDATE SET doses = 1",
        "WITH x AS (SELECT 1) UPDATE movement SET doses = doses + 1",
        "DELETE FROM batch",
    ],
)
def test_the_guards_stand_whatever_the_statement(there: Logged, statement: str) -> None:
    refused = pytest.raises(DBAPIError, match=r"only ever added to|FOREIGN KEY|foreign key")
    with there.database.engine.connect() as connection, refused:
        connection.execute(text(statement))


def test_the_guards_stand_against_merge(there: Logged) -> None:
    if there.database.is_sqlite:
        pytest.skip("SQLite has no MERGE")
    merged = "MERGE INTO custody USING custody AS other ON custody.id = other.id WHEN MATCHED THEN UPDATE SET doses = 7"
    with there.database.engine.connect() as connection, pytest.raises(DBAPIError, match="only ever added to"):
        connection.execute(text(merged))


def test_a_file_reads_each_code_once_and_before_anybody_waits_for_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To read a GS1 code takes most of a millisecond, and whoever announces packs holds up who receives some."""
    asked: list[str] = []

    def read(text: str, field: str = "pack") -> PackScan:
        asked.append(text)
        assert not in_turn
        return original(text, field)

    def waits(session: Session) -> None:
        in_turn.append(session)
        turn(session)

    in_turn: list[Session] = []
    original, turn = scans.read, pack_files.in_turn
    monkeypatch.setattr(scans, "read", read)
    monkeypatch.setattr(pack_files, "in_turn", waits)
    case = Case(client)
    assert sorted(asked) == sorted([case.code, *case.cartons, *(vial for vials in case.vials for vial in vials)])
    assert len(in_turn) == 1


def test_two_keepers_whose_clocks_differ_by_seconds_are_no_fault(database_url: str) -> None:
    with closing(Database(database_url)) as database, serving(build(database)) as server:
        key, batch = keys.generate(ORIGIN), at_site(server.client, 10)
        for at in (NOW + timedelta(seconds=10), NOW + timedelta(seconds=5)):
            server.client.post("/administrations", administration(batch), "nurse-a").ok()
            sequencer.append(database, at)
            assert checkpoints.sign(database, key, at) is not None
        assert faults(database, key) == []


def test_a_file_that_holds_no_text_is_no_key(there: Logged, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    code, said = command(there, "verify", "log", "--key", str(tmp_path / "key"))
    assert (code, "is no public key" in said) == (1, True)
