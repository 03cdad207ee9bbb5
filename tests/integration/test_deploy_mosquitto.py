"""What `deploy/` and `docker-compose.yml` promise of the broker, held by a real Mosquitto."""

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from tests.deployment import Deployed
from tests.services import PATIENCE

DENIED = "Not authorized"
LONGEST = 1 << 20
"""What the WHO's format allows a delivery (PQS E006 DS01)."""

V311 = MQTTProtocolVersion.MQTTv311


@pytest.mark.parametrize("kind", ["readings", "cce", "state"])
def test_a_gateway_speaks_for_itself_only(deployed: Deployed, kind: str) -> None:
    with deployed.client("ingest") as ingest, deployed.client("gateway-a") as gateway:
        ingest.subscribe(f"coldtrail/v1/+/+/{kind}")
        assert gateway.publish(f"coldtrail/v1/07/gateway-b/{kind}") == DENIED
        assert gateway.publish(f"coldtrail/v1/07/gateway-a/{kind}") != DENIED
        assert ingest.next_topic() == f"coldtrail/v1/07/gateway-a/{kind}"


def test_an_old_client_is_not_told_that_it_was_denied(deployed: Deployed) -> None:
    """Why the ingest has to compare the gateway in a message with its topic, and gateways have to wait for receipts."""
    with deployed.client("ingest") as ingest, deployed.client("gateway-a", version=V311) as gateway:
        ingest.subscribe("coldtrail/v1/#")
        assert gateway.publish("coldtrail/v1/07/gateway-b/readings") == "Success"
        gateway.publish("coldtrail/v1/07/gateway-a/readings")
        assert ingest.next_topic() == "coldtrail/v1/07/gateway-a/readings"


@pytest.mark.parametrize("topic", ["07/gateway-a/receipt", "07/gateway-a/other", "07/x/gateway-a/readings"])
def test_a_gateway_writes_nothing_but_what_is_granted(deployed: Deployed, topic: str) -> None:
    with deployed.client("gateway-a") as gateway:
        assert gateway.publish(f"coldtrail/v1/{topic}") == DENIED


def test_a_gateway_gets_its_own_receipts_only(deployed: Deployed) -> None:
    with deployed.client("ingest") as ingest, deployed.client("gateway-a") as gateway:
        gateway.subscribe("coldtrail/v1/#")
        for topic in ("gateway-b/receipt", "gateway-a/readings", "gateway-a/receipt"):
            assert ingest.publish(f"coldtrail/v1/07/{topic}") != DENIED
        assert gateway.next_topic() == "coldtrail/v1/07/gateway-a/receipt"


def test_a_name_that_is_a_wildcard_grants_nothing(deployed: Deployed) -> None:
    with deployed.client("+") as stranger:
        assert stranger.publish("coldtrail/v1/07/gateway-a/readings") == DENIED


@pytest.mark.parametrize(("user", "password"), [("gateway-a", "wrong"), ("nobody", "wrong")])
def test_strangers_are_refused(deployed: Deployed, user: str, password: str) -> None:
    with deployed.client(user, password) as stranger:
        assert stranger.welcome == DENIED


def test_nobody_is_anonymous(deployed: Deployed) -> None:
    with deployed.client(None) as stranger:
        assert stranger.welcome == DENIED


def test_the_workers_can_see_whether_the_broker_drops_messages(deployed: Deployed) -> None:
    with deployed.client("ingest") as ingest:
        ingest.subscribe("$SYS/broker/publish/messages/dropped")
        assert ingest.next_topic()


def test_a_message_that_is_too_long_is_not_taken_silently(deployed: Deployed) -> None:
    with deployed.client("ingest") as ingest, deployed.client("gateway-a", version=V311) as gateway:
        ingest.subscribe("coldtrail/v1/#")
        gateway.publish("coldtrail/v1/07/gateway-a/cce", b" " * LONGEST)
        assert ingest.next_topic()
        gateway.send("coldtrail/v1/07/gateway-a/cce", b" " * 2 * LONGEST)
        assert gateway.gone.wait(PATIENCE)


def test_a_certificate_names_its_gateway(deployed: Deployed) -> None:
    with deployed.certified("gateway-a") as gateway:
        assert gateway.publish("coldtrail/v1/07/gateway-b/readings") == DENIED
        assert gateway.publish("coldtrail/v1/07/gateway-a/readings") != DENIED
