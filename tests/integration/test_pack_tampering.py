"""Packs are what was said when they were made known, and where events have put them; whatever is changed is named."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from inventory.domain.packs import digest_of
from inventory.persistence.database import Database
from inventory.persistence.statements import core
from inventory.persistence.tables import Custody, Pack, PackRegistration
from inventory.services import verification
from tests.county import build
from tests.http import Server, serving
from tests.packed import Case
from tests.services import Template
from tests.tampering import tampered


@pytest.fixture(scope="module")
def server(database_template: Template) -> Iterator[Server]:
    with database_template.clone() as url:
        database = Database(url)
        with serving(build(database)) as found:
            yield found
        database.close()


@pytest.fixture(scope="module")
def case(server: Server) -> Case:
    """At the county, with one carton on its way by its code, and of the other a dose, which nobody scanned."""
    case = Case(server.client, cartons=3)
    case.receive().ok()
    case.send(case.cartons[0]).ok()
    case.send(doses=1).ok()
    return case


@pytest.fixture(scope="module")
def announced(server: Server) -> Case:
    return Case(server.client)


def found_in(session: Session) -> list[str]:
    return [each for each in verification.faults(session) if "guard" not in each]


def row_of(session: Session, code: str) -> dict[str, Any]:
    return dict(session.execute(select(core(Pack)).where(core(Pack).c.code == code)).mappings().one())


def change(session: Session, which: str, **values: Any) -> None:
    session.execute(update(core(Pack)).where(core(Pack).c.code == which).values(values))


def places(session: Session, case: Case) -> list[Any]:
    """The custodies of the case's batch: at the county, on their way by code, on their way unscanned."""
    batch = row_of(session, case.code)["batch_id"]
    return list(session.scalars(select(Custody.id).where(Custody.batch_id == batch).order_by(Custody.id)))


def test_nothing_is_found_where_nothing_was_changed(server: Server, case: Case, announced: Case) -> None:
    assert case.batch != announced.batch
    with tampered(server.county.database) as session:
        assert found_in(session) == []


@pytest.mark.parametrize("where", [1, 2], ids=["where-others-were-scanned-into", "where-some-doses-went"])
def test_an_untouched_carton_that_is_said_to_be_elsewhere_is_found(server: Server, case: Case, where: int) -> None:
    with tampered(server.county.database) as session:
        there = places(session, case)
        assert row_of(session, case.cartons[1])["custody_id"] == there[0]
        change(session, case.cartons[1], custody_id=there[where])
        found = found_in(session)
    assert f"pack {case.cartons[1]}: not where it was put by the events that name it" in found, found


def test_a_carton_that_was_scanned_is_where_it_was_put(server: Server, case: Case) -> None:
    with tampered(server.county.database) as session:
        change(session, case.cartons[0], custody_id=places(session, case)[0])
        found = found_in(session)
    assert f"pack {case.cartons[0]}: not where it was put by the events that name it" in found, found


def test_packs_go_along_with_all_that_is_left_of_their_custody_and_no_further(server: Server) -> None:
    """Six doses of six, in two dispatches that nobody scanned: the packs went with the second."""
    case = Case(server.client)
    case.receive().ok()
    case.send(doses=2).ok()
    case.send(doses=4).ok()
    with tampered(server.county.database) as session:
        assert found_in(session) == []
        assert row_of(session, case.code)["custody_id"] == places(session, case)[2]


def counterfeits(case: Case, there: Any) -> dict[str, dict[str, Any]]:
    mine = {"level": 1, "opened": False, "doses": 1, "remaining": 1, "parent_code": None, "custody_id": None}
    return {
        "with a place": mine | {"custody_id": there},
        "in an unopened carton": mine | {"parent_code": case.cartons[1]},
        "announced": mine,
    }


@pytest.mark.parametrize("kind", ["with a place", "in an unopened carton", "announced"])
def test_a_counterfeit_is_found(server: Server, case: Case, kind: str) -> None:
    with tampered(server.county.database) as session:
        batch = row_of(session, case.code)["batch_id"]
        row = counterfeits(case, places(session, case)[0])[kind] | {"code": "FALSE", "batch_id": batch}
        session.execute(insert(core(Pack)).values(row))
        found = found_in(session)
    assert "pack FALSE: nobody has made it known" in found, found
    assert ("pack FALSE: has a place, and no event has put it there" in found) == (kind == "with a place")


CHANGES: dict[str, dict[str, Any]] = {
    "level": {"level": 7},
    "parent_code": {"parent_code": None},
    "doses": {"doses": 9, "remaining": 9},
    "code": {"code": "ANOTHER"},
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("which", ["vial of a carton on its way", "vial that was announced"])
def test_a_changed_pack_is_found(server: Server, case: Case, announced: Case, which: str, name: str) -> None:
    code = (case if "way" in which else announced).vials[0][0]
    with tampered(server.county.database) as session:
        change(session, code, **CHANGES[name])
        found = found_in(session)
    told = f"pack {code}: is gone" if name == "code" else f"pack {code}: its {name} is {CHANGES[name][name]}, was made"
    assert any(each.startswith(told) for each in found), found


def test_a_carton_that_is_gone_with_all_that_was_in_it_is_found(server: Server, announced: Case) -> None:
    gone = [announced.cartons[0], *announced.vials[0]]
    with tampered(server.county.database) as session:
        session.execute(delete(Pack).where(Pack.code.in_(gone)))
        found = found_in(session)
    assert {f"pack {each}: is gone" for each in gone} <= set(found), found


def test_all_packs_of_a_batch_that_are_gone_are_found(server: Server, announced: Case) -> None:
    with tampered(server.county.database) as session:
        batch = row_of(session, announced.code)["batch_id"]
        session.execute(delete(Pack).where(Pack.batch_id == batch))
        assert f"pack {announced.code}: is gone" in found_in(session)


def test_packs_in_a_circle_are_found(server: Server, announced: Case) -> None:
    with tampered(server.county.database) as session:
        change(session, announced.code, parent_code=announced.cartons[0])
        assert any(each.startswith(f"pack {announced.code}: its parent_code is") for each in found_in(session))


def test_what_was_said_of_packs_changed_with_them_is_found_by_its_digest(server: Server, announced: Case) -> None:
    """And a digest that is changed along is another than the one in the log, see test_log_tampering."""
    with tampered(server.county.database) as session:
        batch = row_of(session, announced.code)["batch_id"]
        said = session.scalars(select(PackRegistration).where(PackRegistration.batch_id == batch)).one()
        session.execute(update(PackRegistration).where(PackRegistration.id == said.id).values(packs="[]"))
        found = found_in(session)
    assert f"pack_registration {said.id}: its packs are not what its digest was made of" in found, found


@pytest.mark.parametrize("text", ["", "no JSON", "7", "[7]", '[["code"]]', "{}x"])
def test_what_says_nothing_of_packs_is_named_also_with_its_own_digest(
    server: Server, announced: Case, text: str
) -> None:
    with tampered(server.county.database) as session:
        batch = row_of(session, announced.code)["batch_id"]
        mine = PackRegistration.batch_id == batch
        session.execute(update(PackRegistration).where(mine).values(packs=text, digest=digest_of(text)))
        assert any("what it says are no packs" in each for each in found_in(session))


def test_what_was_said_of_packs_that_is_gone_leaves_them_unknown(server: Server, announced: Case) -> None:
    with tampered(server.county.database) as session:
        batch = row_of(session, announced.code)["batch_id"]
        session.execute(delete(PackRegistration).where(PackRegistration.batch_id == batch))
        assert f"pack {announced.code}: nobody has made it known" in found_in(session)
