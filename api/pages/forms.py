"""How instants, temperatures and numbers are written on a page: without a doubt which is meant, in either language."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import format_decimal, gettext
from markupsafe import Markup

NOTHING = "–"
"""What stands where nothing is known."""


def instant(at: datetime | None, zone: str) -> str:
    """An instant on a place's own clock, with its offset from UTC."""
    if at is None:
        return NOTHING
    local = at.astimezone(ZoneInfo(zone))
    day, clock = f"{local:%Y-%m-%d}", f"{local:%H:%M}"
    return Markup('<span class="time">{}</span> <span class="time">{} <small>{}</small></span>').format(
        day, clock, _offset(local)
    )


def plain_instant(at: datetime, zone: str) -> str:
    """The same without markup."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d %H:%M} {_offset(local)}"


def _offset(local: datetime) -> str:
    text = f"{local:%z}"
    return f"{text[:3]}:{text[3:]}"


def day(value: date) -> str:
    """A day, the year first."""
    return value.isoformat()


def degrees(hundredths: float | None) -> str:
    """A temperature that is given in hundredths of a degree Celsius."""
    if hundredths is None:
        return NOTHING
    return f"{format_decimal(round(hundredths / 100, 2), format='0.0#')}\N{NO-BREAK SPACE}°C"


def kinetic(celsius: float | None) -> str:
    """A mean kinetic temperature, which is in degrees."""
    return NOTHING if celsius is None else degrees(celsius * 100)


def number(value: int) -> str:
    """A whole number, its thousands apart."""
    return str(format_decimal(value))


def lasting(duration: timedelta) -> str:
    """A length of time in hours and minutes; what is not quite a minute is one, for it is not nothing."""
    minutes = -(-duration // timedelta(minutes=1))
    if minutes < 60:
        return str(gettext("%(minutes)s min", minutes=minutes))
    return str(gettext("%(hours)s h %(minutes)s min", hours=number(minutes // 60), minutes=f"{minutes % 60:02}"))


def css_text(text: str) -> str:
    """A text as a string of a style sheet, each character by its number: none can end it, or mean anything."""
    return '"' + "".join(f"\\{ord(character):06x}" for character in text) + '"'
