"""What the messages of a chunk say beside their readings: of devices' own alarms, of gateways and of their clocks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.services import device_alarms, edge_nodes, presence
from inventory.services.following import Known
from inventory.services.known import Enrolled
from inventory.services.messages import AlarmState, EdgeNote, Message

_MILLISECOND = timedelta(milliseconds=1)
_LAG_EVERY = timedelta(minutes=1)


class Hearing:
    """Notes what messages say; it remembers when it noted the lag of each gateway last, which it does once a minute."""

    def __init__(self) -> None:
        self._noted: dict[UUID, datetime] = {}

    def note(
        self,
        session: Session,
        messages: Iterable[Message],
        gateways: Mapping[str, Enrolled],
        alarms: Sequence[tuple[Known, AlarmState]],
        now: datetime,
    ) -> None:
        """Note what accepted messages say, in the order in which they came, and the alarms that can be taken."""
        nodes: dict[UUID, list[EdgeNote]] = defaultdict(list)
        lags: dict[UUID, int] = {}
        for message in messages:
            gateway = gateways[message.gateway]
            if message.measurements and self._is_due(gateway.id, now):
                newest = max(one.measured_at for one in message.measurements)
                lags[gateway.id] = (message.received_at - newest) // _MILLISECOND
            if message.presence is not None:
                presence.note(session, gateway, message.presence, message.received_at)
            if message.edge is not None:
                nodes[gateway.id].append(message.edge)
        device_alarms.note(session, alarms, now)
        edge_nodes.note(session, nodes, now)
        presence.note_lags(session, lags, now)
        self._noted |= dict.fromkeys(lags, now)

    def _is_due(self, gateway: UUID, now: datetime) -> bool:
        noted = self._noted.get(gateway)
        return noted is None or now - noted >= _LAG_EVERY
