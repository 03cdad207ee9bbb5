"""When the sites open: one after the other, for the vans come to them one after the other."""

from datetime import timedelta

from coldtrail.demo.county import County

FIRST = timedelta(hours=8)
_APART = timedelta(minutes=5)
_LATEST = 7


def opening_of(county: County, code: str) -> timedelta:
    """How long after midnight a site opens."""
    number = [site.code for site in county.sites].index(code)
    return FIRST + number % _LATEST * _APART
