"""What a payload says, whatever its format."""

from dataclasses import dataclass

from inventory.services.messages import AlarmState, Measurement, Presence
from mqtt_ingest.formats.metrics import EdgeMessage


@dataclass(frozen=True, slots=True)
class Content:
    """Readings, and how their sender knows the message: by `boot` and `seq`, by `transfer_id`, or not at all.

    `first` is the lowest number of its boot that the sender still keeps. `edge` is what a Sparkplug edge node said,
    before it is known which sensors its metrics are.
    """

    measurements: tuple[Measurement, ...]
    boot: str | None = None
    seq: int | None = None
    transfer_id: str | None = None
    first: int | None = None
    alarms: tuple[AlarmState, ...] = ()
    presence: Presence | None = None
    edge: EdgeMessage | None = None
