"""One message from bytes to what the service takes: nothing that a stranger sends may raise here."""

import logging
from datetime import datetime
from functools import lru_cache

from inventory.domain.words import RejectReason
from inventory.services.messages import EdgeNote, Message, Rejection
from inventory.strict_json import BadPayload
from mqtt_ingest import topics
from mqtt_ingest.client import Incoming
from mqtt_ingest.edge_nodes import EdgeNodes
from mqtt_ingest.formats import FORMATS, Format
from mqtt_ingest.formats.content import Content
from mqtt_ingest.formats.metrics import EdgeMessage
from mqtt_ingest.topics import Topic

Entry = Message | Rejection

_REMEMBERED = 200
"""The longest topic that is remembered, in characters."""

_log = logging.getLogger(__name__)


def read(
    incoming: Incoming, received_at: datetime, root: str = topics.ROOT, nodes: EdgeNodes | None = None
) -> list[Entry]:
    """The message, or the rejection that keeps it with its reason (`bad_topic`, `malformed`, `unknown_alias`).

    A rejection whose sender and number are legible is followed by a message with that number and no readings:
    the payload is safe, as it stands, and its sender may go on. `nodes` is what is known of Sparkplug edge nodes; it
    learns of each message, so messages have to be read in the order in which they came.
    """
    try:
        topic = (_topic if len(incoming.topic) <= _REMEMBERED else topics.parse)(incoming.topic, root)
        _require_format(topic)
        payload_format = FORMATS[topic.kind]
    except topics.BadTopic as error:
        return [_rejection(incoming, received_at, RejectReason.BAD_TOPIC, str(error))]
    try:
        content = payload_format.parse(incoming.payload)
        if content.edge is not None:
            return _of_edge_node(incoming, received_at, topic, content.edge, nodes or EdgeNodes())
        return [_message(incoming, received_at, topic, content)]
    except Exception as error:
        if not isinstance(error, BadPayload):
            _log.exception("a message on %s could not be read", incoming.topic)
        rejection = _rejection(incoming, received_at, RejectReason.MALFORMED, str(error) or repr(error))
        return [rejection, *_numbered(incoming, received_at, topic, payload_format)]


def _of_edge_node(
    incoming: Incoming, received_at: datetime, topic: Topic, said: EdgeMessage, nodes: EdgeNodes
) -> list[Entry]:
    """What a Sparkplug message says by what is known of its edge node, and the whole of it where that is not all."""
    found = nodes.resolve(topic, said)
    note = EdgeNote(nodes.dump(topic.shard, topic.gateway), found.missed, found.unread, found.rebirth)
    entries: list[Entry] = [_message(incoming, received_at, topic, found.content)._replace(edge=note)]
    for reason, why in ((RejectReason.UNKNOWN_ALIAS, found.unknown), (RejectReason.MALFORMED, found.malformed)):
        if why is not None:
            entries.append(_rejection(incoming, received_at, reason, why))
    return entries


def storable(text: str) -> str:
    """`text` without what some database refuses: NUL and lone surrogates."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\0")


@lru_cache(maxsize=65536)
def _topic(name: str, root: str) -> Topic:
    return topics.parse(name, root)


def _require_format(topic: Topic) -> None:
    if topic.kind not in FORMATS:
        raise topics.BadTopic(f"kind is {topic.kind.value!r}; expected one of {', '.join(FORMATS)}")


def _numbered(incoming: Incoming, received_at: datetime, topic: Topic, payload_format: Format) -> list[Entry]:
    try:
        content = payload_format.identify(incoming.payload)
    except BadPayload:
        return []
    except Exception:
        _log.exception("the number of a message on %s could not be read", incoming.topic)
        return []
    known = content.boot is not None or content.transfer_id is not None
    return [_message(incoming, received_at, topic, content)] if known else []


def _message(incoming: Incoming, received_at: datetime, topic: Topic, content: Content) -> Message:
    return Message(
        topic=incoming.topic,
        payload=incoming.payload,
        received_at=received_at,
        gateway=topic.gateway,
        shard=topic.shard,
        measurements=content.measurements,
        boot=content.boot,
        seq=content.seq,
        transfer_id=content.transfer_id,
        first=content.first,
        alarms=content.alarms,
        presence=content.presence,
    )


def _rejection(incoming: Incoming, received_at: datetime, reason: RejectReason, detail: str) -> Rejection:
    return Rejection(incoming.topic, incoming.payload, received_at, reason, storable(detail))
