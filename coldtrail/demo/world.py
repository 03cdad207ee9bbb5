"""What the county finds when it begins to live."""

from dataclasses import dataclass
from datetime import datetime

from coldtrail.demo.api import Api
from coldtrail.demo.tokens import Tokens
from inventory.clock import ScaledClock
from mqtt_ingest.settings import Protocol


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is, and the MQTT that it speaks."""

    url: str
    protocol: Protocol


@dataclass(frozen=True)
class World:
    """The service and the broker, the county's time, and until when it lives (None: for ever)."""

    api: Api
    tokens: Tokens
    broker: BrokerAddress
    clock: ScaledClock
    until: datetime | None
