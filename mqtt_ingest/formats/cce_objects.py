"""The 71 objects of a WHO delivery (PQS E006 DS01, cce-interop 0.8.1) as data: what each may be, and where it must be.

The names are the standard's: A is the appliance, E the monitoring device, L the logger, C the compressor's
electronics; a 2 at the end is the second compressor.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, Flag, auto


class Type(Enum):
    """What a JSON value is; its value is the word for it in a message."""

    TEXT = "a text"
    NUMBER = "a number"
    BOOLEAN = "true or false"


class Level(Flag):
    """Where an object may stand and is checked."""

    REPORT = auto()
    RECORD = auto()
    BOTH = REPORT | RECORD


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of the standard: `low` and `high` are in its `unit`, both included; null only where `nullable`."""

    name: str
    type: Type
    level: Level
    nullable: bool = True
    low: Decimal | int | None = None
    high: Decimal | int | None = None
    unit: str = ""

    def admits(self, value: object) -> bool:
        """Whether a value, as `strict_json.loads` gives it, is one for this object."""
        if value is None:
            return self.nullable
        if self.type is Type.TEXT:
            return isinstance(value, str)
        if self.type is Type.BOOLEAN or isinstance(value, bool):
            return self.type is Type.BOOLEAN and isinstance(value, bool)
        return isinstance(value, int | Decimal) and self._in_range(value)

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        bounds = [f"{word} {bound}" for word, bound in (("from", self.low), ("to", self.high)) if bound is not None]
        return " ".join([self.type.value, *bounds, self.unit]).rstrip() + (" or null" if self.nullable else "")

    def _in_range(self, value: Decimal | int) -> bool:
        return (self.low is None or self.low <= value) and (self.high is None or value <= self.high)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _texts(level: Level, names: str, *, nullable: bool = True) -> Iterator[Thing]:
    return (Thing(name, Type.TEXT, level, nullable) for name in names.split())


def _numbers(level: Level, unit: str, low: str, high: str, names: str, *, nullable: bool = True) -> Iterator[Thing]:
    highest = Decimal(high) if high else None
    return (Thing(name, Type.NUMBER, level, nullable, Decimal(low), highest, unit) for name in names.split())


OBJECTS: Mapping[str, Thing] = {
    thing.name: thing
    for thing in (
        *_texts(Level.REPORT, "ACAT ADOP AID AMFR AMOD APQS ASER"),
        *_texts(Level.REPORT, "CDAT CDAT2 CID CNAM CNAM2 CSER CSER2"),
        *_texts(Level.REPORT, "DNAM EID EMFR EMOD EPQS ESER FID FNAM LID RNAM SIGN"),
        *_texts(Level.REPORT, "LDOP LMFR LMOD LPQS LSER", nullable=False),
        *_texts(Level.BOTH, "CSOF CSOF2 EDOP EMSV LSV"),
        *_numbers(Level.BOTH, "degrees", "-90", "90", "LAT"),
        *_numbers(Level.BOTH, "degrees", "-180", "180", "LNG"),
        *_numbers(Level.BOTH, "m", "0", "999.9", "LACC"),
        *_texts(Level.RECORD, "ABST", nullable=False),
        *_texts(Level.RECORD, "ALRM EERR LERR"),
        Thing("MSW", Type.BOOLEAN, Level.RECORD),
        *_numbers(Level.RECORD, "degrees Celsius", "-55", "60", "TVC"),
        *_numbers(Level.RECORD, "degrees Celsius", "-55", "60", "TAMB", nullable=False),
        *_numbers(Level.RECORD, "degrees Celsius", "-99.9", "60", "TFRZ"),
        *_numbers(Level.RECORD, "degrees Celsius", "-55", "150", "TCON TCON2 TPCB TPCB2"),
        *_numbers(Level.RECORD, "s of 900 s", "0", "900", "CMPR CMPR2 DORF DORV SVA"),
        *_numbers(Level.RECORD, "in 900 s", "0", "900", "DRCF DRCV"),
        *_numbers(Level.RECORD, "s", "0", "", "IDRF IDRV"),
        *_numbers(Level.RECORD, "rpm", "0", "20000", "CMPS CMPS2"),
        *_numbers(Level.RECORD, "A", "0", "50", "ACCD"),
        *_numbers(Level.RECORD, "V", "0", "600", "ACSV"),
        *_numbers(Level.RECORD, "A", "0", "99.9", "DCCD"),
        *_numbers(Level.RECORD, "V", "0", "999.9", "DCSV"),
        *_numbers(Level.RECORD, "days", "0", "9999.9", "BEMD"),
        *_numbers(Level.RECORD, "days", "0", "9999", "BLOG", nullable=False),
        *_numbers(Level.RECORD, "days", "0", "999.9", "HOLD"),
        *_numbers(Level.RECORD, "%", "0", "100", "FANS HAMB HCOM"),
    )
}
"""By name; what is not here (RELT, RTCW, and vendors' own, which should begin with z) is let pass unchecked."""

OF_REPORT = {name: thing for name, thing in OBJECTS.items() if Level.REPORT in thing.level}
"""What is checked in a report."""

OF_RECORD = {name: thing for name, thing in OBJECTS.items() if Level.RECORD in thing.level}
"""What is checked in a record."""

AMID = Thing("AMID", Type.TEXT, Level.REPORT, nullable=False)
"""The appliance that a remote temperature monitor is in; only the delivery format knows it, not DS01."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one `transferType` asks for."""

    report: frozenset[str]
    record: frozenset[str]
    once: tuple[str, ...]
    """These stand in the report or in every record, and not in both."""


EMS = Shape(
    _names("CID ADOP AMFR AMOD APQS ASER LDOP LMFR LMOD LPQS LSER EDOP EMFR EMOD EPQS ESER records"),
    _names("ABST ALRM BEMD BLOG CMPR DORV EERR LERR TAMB"),
    ("LSV", "EMSV"),
)
"""An equipment monitoring system's: a logger in the appliance."""

RTM = Shape(
    _names("AMID CID DLST EDOP EMFR EMOD EPQS ESER records"),
    _names("ABST ALRM BEMD EERR"),
    ("EMSV",),
)
"""A remote temperature monitor's: sensors beside the appliance, named in DLST."""

SHAPES: Mapping[str, Shape] = {"ems": EMS, "rtm": RTM}
"""By `transferType`."""

DLST = ("TVC", "TFRZ", "TAMB", "IDRV")
"""What a sensor of a remote temperature monitor may measure."""
