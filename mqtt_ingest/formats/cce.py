"""The WHO delivery envelope for cold-chain equipment (PQS E006 DS01, cce-interop 0.8.1).

Of each record the temperature of the vaccine compartment (TVC) becomes a reading, and its alarms (ALRM) what the
device states itself: of the sensor that DLST names in a remote temperature monitor's report (`rtm`), of the logger in
an equipment monitoring system's (`ems`). What else a record holds is checked and not kept.

A delivery that breaks the schema is refused as a whole, by message as over HTTP. Over HTTP its sender is told all
that is wrong; by message it is kept aside with the first of it, and its `transferId` is receipted all the same.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from inventory.domain.temperature import centi
from inventory.services.messages import AlarmState, Measurement
from inventory.strict_json import MAX_BYTES, BadPayload, legible, loads, require_storable
from mqtt_ingest.formats import alarms, fields, salvage
from mqtt_ingest.formats.absolute_time import instant
from mqtt_ingest.formats.cce_rules import sensor_of, violations
from mqtt_ingest.formats.content import Content
from mqtt_ingest.formats.gzipped import MAX_UNPACKED, unpacked, unpacked_in_part

_TOLD = 3


def parse(payload: bytes) -> Content:
    """The readings and alarms of a delivery, gzip or not, and its `transferId`.

    Raises:
        BadPayload: it is not such an envelope; the detail names the first fields that are wrong.
    """
    envelope = loaded(payload)
    found = violations(envelope, _TOLD + 1)
    if found:
        more = "; and more" if len(found) > _TOLD else ""
        raise BadPayload("; ".join(map(str, found[:_TOLD])) + more)
    return content(envelope)


def identify(payload: bytes) -> Content:
    """Only the `transferId` of a delivery, whatever else is in it; BadPayload where not even that is legible."""
    meta = _legible_meta(unpacked_in_part(payload))
    transfer_id = fields.text(meta, "transferId", "meta.", longest=fields.TRANSFER_ID)
    require_storable(transfer_id)
    return Content((), transfer_id=transfer_id)


def loaded(payload: bytes) -> object:
    """The JSON of a delivery, unpacked once where it is gzip, and not checked yet.

    Raises:
        BadPayload: it is too long, damaged, packed twice, or no JSON.
    """
    plain = unpacked(payload)
    return loads(plain, MAX_BYTES if plain is payload else MAX_UNPACKED)


def content(envelope: Any) -> Content:
    """What a delivery says in which `violations` found nothing."""
    meta = envelope["meta"]
    said = [each for report in envelope["data"] for each in _said(report, meta["transferType"])]
    return Content(
        tuple(each for each in said if isinstance(each, Measurement)),
        transfer_id=meta["transferId"],
        alarms=tuple(each for each in said if isinstance(each, AlarmState)),
    )


def _said(report: Mapping[str, Any], kind: str) -> Iterator[Measurement | AlarmState]:
    sensor, _ = sensor_of(report, kind)
    for record in report["records"]:
        yield from said(record, sensor, instant(record["ABST"]))


def said(record: Mapping[str, Any], sensor: str, at: datetime) -> Iterator[Measurement | AlarmState]:
    """The temperature of a record, where it has one, and its alarms, where it speaks of them."""
    if record.get("TVC") is not None:
        yield Measurement(sensor, at, centi(record["TVC"]))
    if "ALRM" in record:
        yield AlarmState(sensor, at, alarms.codes(record["ALRM"]))


def _legible_meta(text: bytes) -> Mapping[str, object]:
    try:
        envelope = legible(text)
    except BadPayload:
        return salvage.by_looks(text, "transferId")
    return fields.member(fields.mapping(envelope, "envelope"), "meta")
