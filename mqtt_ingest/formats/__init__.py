"""Payload formats, one module each: bytes in, readings out, no I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from mqtt_ingest.formats import cce, native, sparkplug, state
from mqtt_ingest.formats.content import Content
from mqtt_ingest.topics import OF_DEVICES, OF_NODES, Kind


@dataclass(frozen=True, slots=True)
class Format:
    """How payloads of one kind are read; both raise BadPayload.

    `identify` reads only by what the sender knows the message, and gives no readings; it reads as leniently as it
    can. Where `parse` refuses a payload whose number is legible, the sender can still be told that it was kept: its
    later messages would otherwise wait for ever behind a number that never comes.
    """

    parse: Callable[[bytes], Content]
    identify: Callable[[bytes], Content]


FORMATS: Mapping[Kind, Format] = {
    Kind.READINGS: Format(native.parse, native.identify),
    Kind.CCE: Format(cce.parse, cce.identify),
    Kind.STATE: Format(state.parse, state.identify),
    **{kind: Format(partial(sparkplug.parse, kind), sparkplug.identify) for kind in (*OF_NODES, *OF_DEVICES)},
}
"""The format of each kind of topic; a new format is one module and one line here."""
