"""Who may do what: every route says it, and holds it."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask

from inventory.domain.words import Role
from inventory.services.access import create_token, revoke_token
from tests.county import MIDNIGHT, NOW, counts
from tests.http import Client, Server
from tests.orders import administration, arrival, at_county, at_site, dispatch, new_batch, receipt

OPENAPI = "api-docs.openapi_json"
"""flask-smorest's own view of the documentation, which is as open as the page that shows it."""

HOLDERS = {
    Role.ADMIN: "admin",
    Role.SUPERVISOR: "chief",
    Role.STAFF: "keeper",
    Role.AUDITOR: "auditor",
    Role.GATEWAY: "gateway",
}


def declared(app: Flask, endpoint: str) -> tuple[Role, ...]:
    found: tuple[Role, ...] = vars(app.view_functions[endpoint])["roles"]
    return found


def routes(app: Flask) -> Iterator[tuple[str, str, frozenset[Role]]]:
    """Each method, address and its roles; none for a view that is open to all."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint != OPENAPI:
            with app.test_request_context():
                blanks = {name: UUID(int=1) if "uuid:" in rule.rule else "x" for name in rule.arguments}
                address = app.url_map.bind("x").build(rule.endpoint, blanks)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, address, frozenset(declared(app, rule.endpoint))


def test_every_view_declares_who_may_use_it(server: Server) -> None:
    undeclared = {name for name, view in server.app.view_functions.items() if not hasattr(view, "roles")}
    assert undeclared == {OPENAPI}


def test_only_health_and_documentation_are_open_to_all(server: Server) -> None:
    open_to_all = {address for _, address, roles in routes(server.app) if not roles}
    assert open_to_all == {"/healthz", "/readyz", "/api/docs", "/api/docs/start.js", "/api/docs/x"}


def test_an_auditor_reads_everything_and_a_gateway_only_delivers(server: Server) -> None:
    for method, address, roles in routes(server.app):
        if roles:
            assert (Role.AUDITOR in roles) == (method == "GET"), address
            assert (Role.GATEWAY in roles) == (address == "/api/v1/cce-deliveries"), address


@pytest.mark.parametrize("role", Role)
def test_each_route_lets_its_roles_in_and_no_other(server: Server, role: Role) -> None:
    before = counts(server.county.database)
    for method, address, roles in routes(server.app):
        if roles:
            status = server.client.send(method, address, b"", server.client.bearer(HOLDERS[role])).status
            assert (status == 403) == (role not in roles), (method, address, status)
            assert status < 500, (method, address)
    assert counts(server.county.database) == before


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic YWRtaW46", "Bearer nobody's", "Token {admin}", "{admin}", "Bearer \xe4"],
)
def test_nobody_known_is_let_in_nowhere(server: Server, header: str | None) -> None:
    secret = server.county.tokens["admin"]
    headers = {} if header is None else {"Authorization": header.format(admin=secret)}
    for method, address, roles in routes(server.app):
        if roles:
            answer = server.client.send(method, address, b"", headers)
            assert (answer.status, answer.body["code"]) == (401, "unauthenticated"), (method, address)
            way = 'Basic realm="Coldtrail", charset="UTF-8"' if address.startswith("/pages/") else "Bearer"
            assert answer.headers["WWW-Authenticate"] == way


def test_a_token_is_never_shown_again(server: Server) -> None:
    secret = "ct_secret"
    answer = server.client.send("GET", "/api/v1/stock", headers={"Authorization": f"Bearer {secret}"})
    assert secret not in answer.content.decode()


def test_a_revoked_token_is_refused_from_then_on(server: Server) -> None:
    database = server.county.database
    headers = {"Authorization": f"Bearer {create_token(database, 'temp', Role.AUDITOR, (), MIDNIGHT)}"}
    assert server.client.send("GET", "/api/v1/stock", headers=headers).status == 200
    revoke_token(database, "temp", NOW)
    assert server.client.send("GET", "/api/v1/stock", headers=headers).status == 401


def refused(client: Client, path: str, body: object, who: str) -> None:
    answer = client.post(path, body, who)
    assert (answer.status, answer.body["code"]) == (403, "not_your_facility"), answer


@pytest.mark.parametrize("who", ["county", "nurse-a"])
def test_staff_receive_goods_for_their_own_facility_only(server: Server, who: str) -> None:
    before = counts(server.county.database)
    refused(server.client, "/receipts", receipt(new_batch()), who)
    assert counts(server.county.database) == before


@pytest.mark.parametrize("who", ["nurse-a", "nurse-b"])
def test_staff_dispatch_from_their_own_facility_only(server: Server, who: str) -> None:
    batch = at_county(server.client)
    before = counts(server.county.database)
    refused(server.client, "/shipments", dispatch(batch), who)
    assert counts(server.county.database) == before


@pytest.mark.parametrize("who", ["nurse-b", "keeper", "county"])
def test_staff_give_doses_at_their_own_site_only(server: Server, who: str) -> None:
    batch = at_site(server.client)
    before = counts(server.county.database)
    refused(server.client, "/administrations", administration(batch), who)
    assert counts(server.county.database) == before


def test_staff_do_what_is_theirs(client: Client) -> None:
    batch = new_batch()
    client.post("/receipts", receipt(batch, facility="COUNTY", appliance="COUNTY-ROOM"), "county").ok()
    shipment = client.post("/shipments", dispatch(batch), "county").ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival(), "nurse-a").ok()
    client.post("/administrations", administration(batch), "nurse-a").ok()


def test_who_did_it_is_on_the_trail(client: Client) -> None:
    batch = new_batch()
    client.post("/receipts", receipt(batch), "keeper").ok()
    (custody,) = client.get(f"/batches/06901234567892/{batch}/trail").ok()["custodies"]
    assert custody["opened_by"]["actor"] == "keeper"
