"""What a scan of a pack says: its code, and often the batch and the expiry that are printed beside it.

Each pack has one code here, whatever symbol it was read from: `01` GTIN `21` serial for a unit with a serial number,
`00` SSCC for a logistic unit (GS1 General Specifications, application identifiers 00, 01 and 21), the 20 digits of a
追溯码 as they are, and any other code as it is. Capital and small letters are different, as GS1 has them.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.products import check_digit

_CODE = re.compile(r'[!"%-/0-9:-?A-Z_a-z]{4,64}')
"""The characters of a GS1 serial number (set 82), and no others."""

_SSCC = re.compile(r"00[0-9]{18}")


@dataclass(frozen=True)
class PackScan:
    """A pack's code, and what its label says of its batch and expiry; the latter as YYMMDD, DD 00 for a month's end."""

    code: str
    batch: str | None = None
    expiry: str | None = None

    def agree(self, field: str, batch: str, expiry: date) -> None:
        """Refuse a label that says another batch or expiry than the book; Conflict `pack_differs`."""
        if self.batch not in {None, batch}:
            expected = N_("a label of batch %(batch)s, in which the book has pack %(pack)s")
            raise Conflict(Code.PACK_DIFFERS, field, self.batch, expected, batch=batch, pack=self.code)
        if self.expiry is not None and self.expiry not in _printed(expiry):
            expected = N_("a label with expiry %(expiry)s, which the book has for pack %(pack)s")
            raise Conflict(Code.PACK_DIFFERS, field, self.expiry, expected, expiry=expiry, pack=self.code)


def plain(field: str, text: str) -> PackScan:
    """A code that is no GS1 element string: 20 digits, those of an SSCC after 00, or what its maker has given.

    Raises:
        Invalid: `malformed` for other than 4 to 64 characters of set 82; `wrong_check_digit` of an SSCC.
    """
    if not _CODE.fullmatch(text):
        raise Invalid(Code.MALFORMED, field, text, N_("4 to 64 characters that GS1 allows in a serial number"))
    if _SSCC.fullmatch(text):
        sscc(field, text[2:])
    return PackScan(text)


def sscc(field: str, digits: str) -> str:
    """The 18 digits of an SSCC; Invalid `malformed` or `wrong_check_digit`."""
    if not re.fullmatch("[0-9]{18}", digits):
        raise Invalid(Code.MALFORMED, field, digits, N_("18 digits of an SSCC"))
    right = check_digit(digits[:-1])
    if digits[-1] != right:
        raise Invalid(Code.WRONG_CHECK_DIGIT, field, digits, N_("check digit %(digit)s"), digit=right)
    return digits


def _printed(expiry: date) -> set[str]:
    """How a label can say a day: the last one of a month also without the day."""
    last = (expiry + timedelta(days=1)).day == 1
    return {f"{expiry:%y%m%d}", f"{expiry:%y%m}00"} if last else {f"{expiry:%y%m%d}"}
