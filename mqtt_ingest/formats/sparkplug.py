"""Sparkplug B (`spBv1.0`): what an edge node says of its own metrics and of its devices', in protobuf.

Here a payload becomes an `EdgeMessage`, whose metrics may be known by their aliases only; `edge_nodes.EdgeNodes` makes
readings of it. Nothing numbers these messages so that a receipt could be given: they are as safe as the broker makes
them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from inventory.strict_json import MAX_BYTES, BadPayload, require_storable
from mqtt_ingest.formats.content import Content
from mqtt_ingest.formats.metrics import EdgeMessage, Metric, Scalar
from mqtt_ingest.formats.numbering import MAX_SEQ
from mqtt_ingest.formats.sparkplug_wire import Payload, decoded
from mqtt_ingest.topics import Kind

MOST_METRICS = 10_000
"""How many metrics a message may have."""

BIRTH_NUMBER = "bdSeq"
"""The metric by which a birth and a will say which connection they are of."""

REBIRTH = "Node Control/Rebirth"
"""The metric that an edge node answers with its births when it is set to true."""

_BIRTHS = {Kind.NBIRTH, Kind.DBIRTH}
_LAST_SEQ = 255
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BOOLEAN = 11


def parse(kind: Kind, payload: bytes) -> Content:
    """What a payload says that came on a topic of this kind.

    Raises:
        BadPayload: it is no such payload; the detail names the field.
    """
    if len(payload) > MAX_BYTES:
        raise BadPayload(f"payload is {len(payload)} bytes long; expected at most {MAX_BYTES}")
    return Content((), edge=_message(kind, decoded(payload)))


def identify(payload: bytes) -> Content:
    """BadPayload: nobody waits for the receipt of such a message."""
    raise BadPayload(f"a Sparkplug payload of {len(payload)} bytes has no number")


def rebirth(now: datetime) -> bytes:
    """The command that asks an edge node for its births, to be sent on `topics.command_topic`."""
    at = (now - _EPOCH) // timedelta(milliseconds=1)
    payload = Payload(timestamp=at)
    payload.metrics.add(name=REBIRTH, timestamp=at, datatype=_BOOLEAN, boolean_value=True)
    return bytes(payload.SerializeToString())


def _message(kind: Kind, payload: Any) -> EdgeMessage:
    if len(payload.metrics) > MOST_METRICS:
        raise BadPayload(f"payload has {len(payload.metrics)} metrics; expected at most {MOST_METRICS}")
    metrics = tuple(_metric(each, payload, f"metrics[{index}]") for index, each in enumerate(payload.metrics))
    if kind in _BIRTHS:
        _require_named(metrics)
    birth = _birth(metrics) if kind in {Kind.NBIRTH, Kind.NDEATH} else None
    return EdgeMessage(kind, None if kind is Kind.NDEATH else _seq(payload), birth, metrics, _at(payload))


def _seq(payload: Any) -> int:
    if not payload.HasField("seq") or payload.seq > _LAST_SEQ:
        raise BadPayload(f"seq is {payload.seq if payload.HasField('seq') else 'missing'}; expected 0 to {_LAST_SEQ}")
    return int(payload.seq)


def _birth(metrics: tuple[Metric, ...]) -> int:
    for metric in metrics:
        if metric.name == BIRTH_NUMBER and type(metric.value) is int and metric.value <= MAX_SEQ:
            return metric.value
    raise BadPayload(f"payload has no metric {BIRTH_NUMBER} with a number from 0 to {MAX_SEQ}")


def _require_named(metrics: tuple[Metric, ...]) -> None:
    """A birth names each of its metrics, and no two by one name or alias."""
    names = [metric.name for metric in metrics]
    aliases = [metric.alias for metric in metrics if metric.alias is not None]
    if None in names:
        raise BadPayload(f"metrics[{names.index(None)}] has no name; expected one in a birth")
    if len(set(names)) < len(names) or len(set(aliases)) < len(aliases):
        raise BadPayload("two metrics have one name or one alias; expected each once in a birth")


def _metric(metric: Any, payload: Any, path: str) -> Metric:
    name = _storable(metric.name) if metric.HasField("name") else None
    alias = metric.alias if metric.HasField("alias") else None
    if name is None and alias is None:
        raise BadPayload(f"{path} has neither name nor alias")
    return Metric(
        name=name,
        alias=alias,
        at=_at(metric if metric.HasField("timestamp") else payload),
        datatype=metric.datatype,
        value=None if metric.is_null else _value(metric),
        properties=dict(_properties(metric.properties, path)),
    )


def _properties(properties: Any, path: str) -> Iterator[tuple[str, Scalar]]:
    if len(properties.keys) != len(properties.values):
        raise BadPayload(f"{path} has {len(properties.keys)} keys of properties and {len(properties.values)} values")
    for key, each in zip(properties.keys, properties.values, strict=True):
        value = None if each.is_null else _value(each)
        if value is not None:
            yield _storable(key), value


def _value(holder: Any) -> Scalar | None:
    held = holder.WhichOneof("value")
    if held is None:
        return None
    value: Scalar = getattr(holder, held)
    return _storable(value) if held == "string_value" else value


def _storable(text: Any) -> str:
    """A text that can be stored; where it is no UTF-8, the library gives its bytes instead."""
    if not isinstance(text, str):
        raise BadPayload("a text in the payload is not UTF-8")
    require_storable(text)
    return text


def _at(holder: Any) -> datetime | None:
    """The time that a payload or a metric states; None where it states none, or one that no calendar has."""
    try:
        return _EPOCH + timedelta(milliseconds=holder.timestamp) if holder.HasField("timestamp") else None
    except OverflowError:
        return None
