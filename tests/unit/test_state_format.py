import json
from typing import Any

import pytest

from inventory.services.messages import Presence
from inventory.strict_json import BadPayload
from mqtt_ingest.formats import state
from mqtt_ingest.formats.content import Content
from mqtt_ingest.formats.numbering import MAX_SEQ


@pytest.mark.parametrize("presence", [Presence(True, 1), Presence(False, MAX_SEQ), Presence(True), Presence(False)])
def test_what_is_encoded_is_read_back(presence: Presence) -> None:
    assert state.parse(state.encode(presence)) == Content((), presence=presence)
    assert state.encode(presence) == state.encode(presence)


def test_the_payload_is_as_it_is_documented() -> None:
    assert json.loads(state.encode(Presence(True, 17))) == {"online": True, "birth": 17}
    assert json.loads(state.encode(Presence(False))) == {"online": False}


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ({"birth": 1}, "online is null; expected true or false"),
        ({"online": 1, "birth": 1}, "online is 1"),
        ({"online": "true", "birth": 1}, "online is 'true'"),
        ({"online": True, "birth": 0}, "birth is 0; expected an integer from 1"),
        ({"online": True, "birth": MAX_SEQ + 1}, "birth is"),
        ({"online": True, "birth": True}, "birth is true"),
        ({"online": True, "birth": None}, "birth is null"),
        ({"online": True, "birth": 1.0}, "birth is 1.0"),
        ({"online": True, "Birth": 1}, "'Birth' is unknown"),
        ([], "message is an array of 0"),
    ],
)
def test_what_is_no_state_is_refused_by_its_field(message: Any, complaint: str) -> None:
    with pytest.raises(BadPayload) as refused:
        state.parse(json.dumps(message).encode())
    assert refused.value.detail.startswith(complaint)


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b'{"online":true,"online":false}', b'{"online":NaN}', b"[" * 100_000]
)
def test_what_is_no_json_is_refused(payload: bytes) -> None:
    with pytest.raises(BadPayload):
        state.parse(payload)


def test_nobody_waits_for_the_receipt_of_a_state() -> None:
    with pytest.raises(BadPayload):
        state.identify(state.encode(Presence(True, 1)))
