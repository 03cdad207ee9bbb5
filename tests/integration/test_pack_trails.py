"""The trail of a pack: its own custody's, or that of the pack around it, and what was taken of it."""

from tests.http import Client
from tests.orders import administration
from tests.packed import Case


def test_a_vial_in_a_case_has_the_trail_of_the_case(client: Client) -> None:
    case = Case(client)
    case.receive().ok()
    case.arrive(case.send(case.code).ok()["shipment"], case.code).ok()
    vial = case.vials[0][0]
    trail = client.get(f"/packs/{vial}/trail").ok()
    assert (trail["held_by"], trail["level"], trail["parent"], trail["uses"]) == (case.code, 1, case.cartons[0], [])
    stages = trail["chain"]["stages"]
    assert [each["custody"]["place"]["appliance"] for each in stages] == ["COUNTY-ROOM", None, "A-FRIDGE"]
    assert trail["chain"]["doubt"] is None
    around = client.get(f"/packs/{case.code}/trail").ok()["chain"]
    assert [each["custody"]["custody"] for each in around["stages"]] == [each["custody"]["custody"] for each in stages]
    (met,) = stages[1]["custody"]["deadlines"]
    (all_met,) = around["stages"][1]["custody"]["deadlines"]
    assert (met["status"], met["doses_met"], all_met["doses_met"]) == ("met", 1, 6)


def test_a_pack_that_was_announced_has_no_way_yet(client: Client) -> None:
    case = Case(client)
    trail = client.get(f"/packs/{case.code}/trail").ok()
    assert (trail["chain"], trail["held_by"], trail["uses"]) == (None, None, [])
    assert client.get("/packs/NO-SUCH-PACK-1/trail").status == 404


def test_a_vial_that_was_used_ends_with_its_last_use(client: Client) -> None:
    case = Case(client)
    case.receive().ok()
    case.arrive(case.send(case.code).ok()["shipment"], case.code).ok()
    vial = case.vials[1][0]
    order = administration(case.batch, 1, gtin=case.gtin, pack=vial)
    given = client.post("/administrations", order, "nurse-a").ok()["events"][0]
    trail = client.get(f"/packs/{vial}/trail").ok()
    (use,) = trail["uses"]
    assert (use["step"]["event"], use["end"], use["doses"], trail["remaining"]) == (given["id"], "administered", 1, 0)
    assert trail["chain"]["stages"][-1]["until"] == given["occurred_at"]
    (chain,) = client.get(f"/administrations/{given['id']}/trail").ok()["chains"]
    assert (chain["chosen"], chain["budgets"]) == ("scanned", [])
    assert [each["custody"]["custody"] for each in chain["stages"]] == [
        each["custody"]["custody"] for each in trail["chain"]["stages"]
    ]


def test_a_tree_is_asked_for_by_parameters(client: Client) -> None:
    case = Case(client)
    case.receive().ok()
    case.arrive(case.send(case.cartons[0]).ok()["shipment"], case.cartons[0]).ok()
    address = f"/batches/{case.gtin}/{case.batch}/trail"
    whole = client.get(address).ok()
    assert len(whole["custodies"]) == 3
    first = client.get(address, limit=1).ok()
    assert [len(first["custodies"]), first["received"]] == [1, whole["received"]]
    assert client.get(address, after=first["next"]).ok()["custodies"] == whole["custodies"][1:]
    assert len(client.get(address, depth=0).ok()["custodies"]) == 1
    assert len(client.get(address, facility="SITE-B").ok()["custodies"]) == 0
    assert client.get(address, at="2020-01-01T00:00:00Z").ok()["received"] == 0
    assert client.get(address, at="2020-01-01T00:00:00").status == 422
    assert client.get(address, depth=-1).status == 422
