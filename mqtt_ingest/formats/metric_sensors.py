"""Which metrics of Sparkplug B are temperatures, of which sensor, and how their values are read.

A metric is a temperature where its unit (the property `engUnit` or `unit`) is degrees Celsius, or where it has no unit
and its name ends with "temperature"; and where it is a Float, a Double, or an integer with the property `scale`, the
degrees that one of its steps is.

Its sensor is what its property `serial` says, else the device and the name of the metric, `fridge-1/Temperature`, and
for a metric of the edge node itself the name alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from inventory.domain.temperature import centi
from inventory.strict_json import MAX_DIGITS, BadPayload
from mqtt_ingest.formats.fields import require_serial, shown
from mqtt_ingest.formats.metrics import Metric, Scalar

_CELSIUS = {"degc", "deg c", "°c", "℃", "celsius", "cel"}
_NOISE = Decimal("0.0001")
"""Finer than this nothing is meant: what a single-precision float has beyond it is noise."""

_FLOATS = {9, 10}
_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
_INTEGERS = {*_BITS, 5, 6, 7, 8}


@dataclass(frozen=True, slots=True)
class Definition:
    """What a birth says of a metric: the sensor that it is, or `fault`, why its temperatures cannot be taken.

    Neither is said of a metric that is no temperature. `scale` is that of integers, in degrees.
    """

    name: str
    alias: int | None
    datatype: int
    sensor: str | None = None
    scale: Decimal | None = None
    fault: str | None = None

    def hundredths(self, value: Scalar) -> int:
        """A value of this metric in hundredths of a degree Celsius.

        Raises:
            ValueError: it is none of this metric's datatype, not finite, or no temperature.
        """
        if isinstance(value, bool | str):
            raise ValueError(f"{shown(value)} is no temperature")  # noqa: TRY004  (a fault of the data)
        if self.scale is not None:
            return centi(_signed(value, self.datatype) * self.scale)
        return centi(_denoised(value))


def defined(metric: Metric, device: str | None) -> Definition:
    """What a metric of a birth is from now on."""
    name = metric.name or ""
    if not _is_temperature(name, metric):
        return Definition(name, metric.alias, metric.datatype)
    try:
        sensor = require_serial(_sensor(name, metric.properties, device), f"serial of {shown(name)}")
        scale = _scale(metric)
        _require_celsius(metric.properties)
    except (BadPayload, ArithmeticError, ValueError) as error:
        return Definition(name, metric.alias, metric.datatype, fault=f"{shown(name)}: {error}")
    return Definition(name, metric.alias, metric.datatype, sensor, scale)


def _is_temperature(name: str, metric: Metric) -> bool:
    named = name.casefold().endswith("temperature")
    return metric.datatype in _FLOATS | _INTEGERS and (named or _unit(metric.properties) in _CELSIUS)


def _unit(properties: Mapping[str, Scalar]) -> str:
    return str(properties.get("engUnit", properties.get("unit", ""))).strip().casefold()


def _require_celsius(properties: Mapping[str, Scalar]) -> None:
    unit = _unit(properties)
    if unit and unit not in _CELSIUS:
        raise BadPayload(f"unit is {shown(unit)}; expected degC")


def _sensor(name: str, properties: Mapping[str, Scalar], device: str | None) -> str:
    serial = properties.get("serial")
    if serial is not None:
        return str(serial)
    return name if device is None else f"{device}/{name}"


def _scale(metric: Metric) -> Decimal | None:
    """The scale of an integer, None of what has a fraction by itself."""
    if metric.datatype in _FLOATS:
        return None
    given = metric.properties.get("scale")
    scale = _number(given)
    if scale is None or not scale.is_finite() or scale <= 0:
        raise BadPayload(f"scale is {shown(given)}; expected a number above 0, for the metric is an integer")
    return scale


def _number(given: Scalar | None) -> Decimal | None:
    if isinstance(given, str):
        return Decimal(given[:MAX_DIGITS])
    return None if given is None or isinstance(given, bool) else _denoised(given)


def _denoised(value: float) -> Decimal:
    exact = Decimal(value)
    if not exact.is_finite():
        raise ValueError(f"{value} is not finite")
    return exact.quantize(_NOISE) if abs(exact) < 10**9 else exact


def _signed(value: float, datatype: int) -> int:
    """The integer that stands on the wire as an unsigned one."""
    if not isinstance(value, int):
        raise ValueError(f"{value} is no integer")  # noqa: TRY004  (a fault of the data)
    bits = _BITS.get(datatype)
    if bits is None:
        return value
    value %= 1 << bits
    return value - (1 << bits) if value >> (bits - 1) else value
