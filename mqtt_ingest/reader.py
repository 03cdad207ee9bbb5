"""One message from bytes to what the service takes: nothing that a stranger sends may raise here."""

import logging
from datetime import datetime

from inventory.domain.words import RejectReason
from inventory.services.messages import Message, Rejection
from inventory.strict_json import BadPayload
from mqtt_ingest import topics
from mqtt_ingest.client import Incoming
from mqtt_ingest.formats import FORMATS, Format
from mqtt_ingest.formats.content import Content
from mqtt_ingest.topics import Topic

Entry = Message | Rejection

_log = logging.getLogger(__name__)


def read(incoming: Incoming, received_at: datetime, root: str = topics.ROOT) -> list[Entry]:
    """The message, or the rejection that keeps it with its reason (`bad_topic`, `malformed`).

    A rejection whose sender and number are legible is followed by a message with that number and no readings:
    the payload is safe, as it stands, and its sender may go on.
    """
    try:
        topic = topics.parse(incoming.topic, root)
        payload_format = _format(topic)
    except topics.BadTopic as error:
        return [_rejection(incoming, received_at, RejectReason.BAD_TOPIC, str(error))]
    try:
        return [_message(incoming, received_at, topic, payload_format.parse(incoming.payload))]
    except Exception as error:
        if not isinstance(error, BadPayload):
            _log.exception("a message on %s could not be read", incoming.topic)
        rejection = _rejection(incoming, received_at, RejectReason.MALFORMED, str(error) or repr(error))
        return [rejection, *_numbered(incoming, received_at, topic, payload_format)]


def storable(text: str, longest: int = 500) -> str:
    """`text`, shortened, without what some database refuses: NUL and lone surrogates."""
    return text[:longest].encode(errors="backslashreplace").decode().replace("\0", "\\0")


def _format(topic: Topic) -> Format:
    if topic.kind not in FORMATS:
        raise topics.BadTopic(f"kind is {topic.kind.value!r}; expected one of {', '.join(FORMATS)}")
    return FORMATS[topic.kind]


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
    )


def _rejection(incoming: Incoming, received_at: datetime, reason: RejectReason, detail: str) -> Rejection:
    return Rejection(incoming.topic, incoming.payload, received_at, reason, storable(detail))
