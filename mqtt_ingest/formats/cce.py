"""The WHO delivery envelope for cold-chain equipment (PQS E006 DS01, cce-interop 0.8.1).

Of each record the temperature of the vaccine compartment (TVC) becomes a reading: of the sensor that DLST names
in a remote temperature monitor's report (`rtm`), of the logger in an equipment monitoring system's (`ems`).
What else a record holds is not read yet, so it is not checked either.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from inventory.services.messages import Measurement
from inventory.strict_json import MAX_BYTES, BadPayload, legible, loads, require_storable
from mqtt_ingest.formats import fields, salvage
from mqtt_ingest.formats.content import Content
from mqtt_ingest.formats.gzipped import MAX_UNPACKED, unpacked, unpacked_in_part

_TRANSFERRED_AT = re.compile(
    r"2[0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]+)?Z",
)
_ABST = re.compile(r"(2[0-9]{7}T[0-2][0-9]{5})(?:\.([0-9]+))?Z")
_COLDEST, _HOTTEST = -55, 60


def parse(payload: bytes) -> Content:
    """The readings of a delivery, gzip or not, and its `transferId`.

    Raises:
        BadPayload: it is not such an envelope; the detail names the field.
    """
    envelope = _envelope(payload)
    kind, transfer_id = _meta(fields.member(envelope, "meta"))
    reports = fields.array(envelope, "data")
    found = [reading for index, report in enumerate(reports) for reading in _report(report, kind, f"data[{index}]")]
    return Content(tuple(found), transfer_id=transfer_id)


def identify(payload: bytes) -> Content:
    """Only the `transferId` of a delivery, whatever else is in it; BadPayload where not even that is legible."""
    transfer_id = _transfer_id(_legible_meta(unpacked_in_part(payload)))
    require_storable(transfer_id)
    return Content((), transfer_id=transfer_id)


def _envelope(payload: bytes) -> dict[str, object]:
    content = unpacked(payload)
    longest = MAX_BYTES if content is payload else MAX_UNPACKED
    return fields.mapping(loads(content, longest), "envelope")


def _legible_meta(content: bytes) -> Mapping[str, object]:
    try:
        envelope = legible(content)
    except BadPayload:
        return salvage.by_looks(content, "transferId")
    return fields.member(fields.mapping(envelope, "envelope"), "meta")


def _transfer_id(meta: Mapping[str, object]) -> str:
    return fields.text(meta, "transferId", "meta.", longest=fields.TRANSFER_ID)


def _meta(meta: Mapping[str, object]) -> tuple[str, str]:
    fields.text(meta, "schemaVersion", "meta.")
    fields.text(meta, "transferSrc", "meta.", longest=2000)
    at = fields.text(meta, "transferredAt", "meta.")
    if not _TRANSFERRED_AT.fullmatch(at):
        raise fields.refusal("meta.transferredAt", at, "a UTC time such as 2026-01-05T08:00:00Z")
    kind = fields.text(meta, "transferType", "meta.")
    if kind not in {"rtm", "ems"}:
        raise fields.refusal("meta.transferType", kind, "rtm or ems")
    return kind, _transfer_id(meta)


def _report(value: object, kind: str, field: str) -> Iterator[Measurement]:
    report = fields.mapping(value, field)
    sensor = _rtm_sensor(report, field) if kind == "rtm" else fields.text(report, "LSER", f"{field}.")
    for index, record in enumerate(fields.array(report, "records", f"{field}.")):
        path = f"{field}.records[{index}]"
        reading = _record(fields.mapping(record, path), kind, sensor, f"{path}.")
        if reading is not None:
            yield reading


def _rtm_sensor(report: Mapping[str, object], field: str) -> str:
    devices = fields.member(report, "DLST", f"{field}.")
    return fields.text(fields.member(devices, "TVC", f"{field}.DLST."), "SID", f"{field}.DLST.TVC.")


def _record(record: Mapping[str, object], kind: str, sensor: str, path: str) -> Measurement | None:
    measured_at = _instant(fields.text(record, "ABST", path), f"{path}ABST")
    if record.get("TVC") is None:
        _require_excuse(record, kind, path)
        return None
    return Measurement(sensor, measured_at, fields.temperature(record, "TVC", _COLDEST, _HOTTEST, path))


def _require_excuse(record: Mapping[str, object], kind: str, path: str) -> None:
    """A logger that has no temperature must say why; a remote monitor must at least have another one."""
    if kind == "ems" and not ("TVC" in record and isinstance(record.get("LERR"), str) and record["LERR"]):
        raise BadPayload(f"{path}TVC is missing or null without LERR; expected a number, or null and an error code")
    if kind == "rtm" and not record.keys() & {"TVC", "TFRZ", "TAMB"}:
        raise BadPayload(f"{path[:-1]} has no TVC, TFRZ or TAMB; expected at least one")


def _instant(text: str, field: str) -> datetime:
    expected = "a UTC time such as 20260105T080000Z"
    match = _ABST.fullmatch(text)
    if match is None:
        raise fields.refusal(field, text, expected)
    try:
        at = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise fields.refusal(field, text, expected) from None
    return at.replace(microsecond=int((match[2] or "0")[:6].ljust(6, "0")))
