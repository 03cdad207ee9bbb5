"""Complete WHO deliveries, to be changed by tests: what each `transferType` must have, and nothing else."""

from copy import deepcopy
from typing import Any

META: dict[str, Any] = {
    "schemaVersion": "0.8.1",
    "transferType": "ems",
    "transferId": "T-1",
    "transferSrc": "org.example",
    "transferredAt": "2026-01-05T08:00:00Z",
}
_MONITOR = {"EDOP": "2025-01-02", "EMFR": "Maker", "EMOD": "M-1", "EPQS": "E006/001", "ESER": "E-1", "EMSV": "1.0"}
_APPLIANCE = {"ADOP": "2025-01-03", "AMFR": "Maker", "AMOD": "A-1", "APQS": "E003/001", "ASER": "A-1"}
_LOGGER = {"LDOP": "2025-01-04", "LMFR": "Maker", "LMOD": "L-1", "LPQS": "E006/002", "LSER": "L-1", "LSV": "2.0"}

REPORTS: dict[str, dict[str, Any]] = {
    "ems": {"CID": "CN", **_MONITOR, **_APPLIANCE, **_LOGGER},
    "rtm": {
        "CID": "CN",
        "AMID": "A-1",
        **_MONITOR,
        "DLST": {"TVC": {"SID": "sensor-1", "SMFR": "Maker", "SMOD": "S-1"}},
    },
}
"""By transferType, without their records."""

_ALWAYS = {"ABST": "20260105T080000Z", "TVC": 4.5, "ALRM": None, "BEMD": 14.3, "EERR": None}

RECORDS: dict[str, dict[str, Any]] = {
    "ems": {**_ALWAYS, "BLOG": 300, "CMPR": 120, "DORV": 0, "LERR": None, "TAMB": 21.5, "SVA": 900},
    "rtm": _ALWAYS,
}


def envelope(kind: str, *records: dict[str, Any], **meta: Any) -> dict[str, Any]:
    """A delivery of one report with these records, or with one that says little; nothing of it is shared."""
    report = REPORTS[kind] | {"records": list(records or (RECORDS[kind],))}
    return deepcopy({"meta": META | {"transferType": kind} | meta, "data": [report]})
