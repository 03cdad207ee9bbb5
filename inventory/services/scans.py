"""Reading what scanners give: element strings, their bracketed form, Digital Link addresses and plain codes."""

import re

from biip import BiipException
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementStrings
from biip.gs1_messages import GS1Message

from inventory.domain import products
from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.scans import PackScan, plain, sscc

LONGEST = 400
"""Characters of a scan: a Digital Link address with all that a label says."""

_FNC1 = "\x1d"
_GS1_SYMBOLS = ("]d2", "]C1", "]Q3", "]e0", "]J1")
"""Symbology identifiers (ISO/IEC 15424) of what holds element strings: GS1 DataMatrix, 128, QR, DataBar, DotCode."""

_OTHER_SYMBOL = re.compile(r"\](?:A[0-9]|C[02]|E[0-4]|d[013-6]|Q[0-24-6])")
"""Those of symbols that hold a plain code, or an address: Code 39, 128, EAN, DataMatrix, QR."""

_ADDRESS = re.compile("https?://", re.IGNORECASE)
_BRACKETED = re.compile(r"\([0-9]{2,4}\)")
_ELEMENTS = re.compile("01[0-9]{14}.|00[0-9]{18}.")
"""How an element string begins that a scanner gives without saying what it is: longer than 20 digits or another key."""


def read(text: str, field: str = "pack") -> PackScan:
    """What a scan says.

    Raises:
        Invalid: `malformed`, or `wrong_check_digit` of its GTIN or SSCC.
    """
    scanned = text.strip()
    if scanned.startswith(_GS1_SYMBOLS):
        return _of(_elements(field, scanned[3:]), field, text)
    if _OTHER_SYMBOL.match(scanned):
        scanned = scanned[3:]
    if _ADDRESS.match(scanned):
        return _of(_address(field, scanned), field, text)
    if _BRACKETED.match(scanned):
        return _of(_bracketed(field, scanned), field, text)
    if re.fullmatch("[0-9]{20}", scanned):
        return plain(field, scanned)
    if _FNC1 in scanned or _ELEMENTS.match(scanned):
        return _of(_elements(field, scanned), field, text)
    return plain(field, scanned)


def _elements(field: str, text: str) -> GS1ElementStrings:
    """The elements of a string; a scanner that types may write its separator as %1D."""
    if _FNC1 not in text:
        text = re.sub("%1d", _FNC1, text, flags=re.IGNORECASE)
    try:
        return GS1Message.parse(text).element_strings
    except BiipException as error:
        raise _unread(field, text) from error


def _bracketed(field: str, text: str) -> GS1ElementStrings:
    """The elements of what is printed below a symbol; a value with brackets of its own could be read in two ways."""
    try:
        found = GS1Message.parse_hri(text)
    except BiipException as error:
        raise _unread(field, text) from error
    if found.as_hri() != text.replace(" ", ""):
        raise _unread(field, text)
    return found.element_strings


def _address(field: str, text: str) -> GS1ElementStrings:
    try:
        return GS1DigitalLinkURI.parse(text).element_strings
    except (BiipException, ValueError) as error:
        raise _unread(field, text) from error


def _unread(field: str, text: str) -> Invalid:
    return Invalid(Code.MALFORMED, field, text, N_("a pack's code as it is scanned: GS1 elements, or 20 digits"))


def _of(elements: GS1ElementStrings, field: str, text: str) -> PackScan:
    """The pack that elements name: a logistic unit before what is in it, else a GTIN with its serial number."""
    said: dict[str, str] = {}
    for each in elements:
        if said.setdefault(each.ai.ai, each.value) != each.value:
            raise _unread(field, text)
    batch, expiry = said.get("10"), said.get("17")
    if "00" in said:
        return PackScan("00" + sscc(field, said["00"]), batch, expiry)
    if "01" not in said or "21" not in said:
        raise Invalid(Code.MALFORMED, field, text, N_("a GTIN with a serial number, or an SSCC"))
    try:
        gtin = products.gtin(said["01"])
    except Invalid as error:
        raise Invalid(error.code, field, said["01"], error.expected, **error.facts) from error
    return PackScan(f"01{gtin}21{said['21']}", batch, expiry)
