"""Who was vaccinated is known elsewhere: here stands an opaque reference, never a name or a number of a person."""

import re
import unicodedata

from inventory.domain.errors import N_, Code, Invalid

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{3,63}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{32,}")
_NUMBERS = (
    r"\d{17}[\dXx]",
    r"[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}",
    r"(?:\+?0{0,2}86|0)?1[3-9]\d{9}",
)
"""Chinese identity numbers of 18 and of 15 digits (GB 11643), and mobile numbers with or without the country's code."""

_MOMENT = re.compile(r"(?<!\d)20\d\d-[01]\d-[0-3]\d[ T][0-2]\d:[0-5]\d(?!\d)")
"""A time, which with a temperature behind it would look like an identity number of 15 digits."""

_GROUPED = re.compile(r"\d+([^\w\s])\d+(?:\1\d+)*[Xx]?")
"""Digits in groups with one and the same sign between them, whichever it is."""

_BESIDE_LETTERS = [re.compile(rf"(?<!\d){number}(?!\d)") for number in _NUMBERS]
_ALONE = [re.compile(rf"(?<![A-Za-z0-9]){number}(?![A-Za-z0-9])") for number in _NUMBERS]
"""In a hash or a UUID as many digits come together by chance, so there only a number that stands alone is one."""


def opaque(reference: str | None, field: str = "recipient") -> str | None:
    """The reference as it is, if it can be no name and no number that a person is known by.

    Raises:
        Invalid: `named_person`; the value is not repeated in the error.
    """
    if reference is None:
        return None
    if _has_number(reference) or not _REFERENCE.fullmatch(reference) or not any(each.isdigit() for each in reference):
        expected = N_("an opaque reference of 4 to 64 letters, digits and . _ : -, with a digit, that names nobody")
        raise Invalid(Code.NAMED_PERSON, field, "(withheld)", expected)
    return reference


def without_numbers(text: str | None, field: str) -> str | None:
    """A text as it is, if it holds no number that a person is known by; a name in it nobody can tell from a word.

    Raises:
        Invalid: `named_person`; the value is not repeated in the error.
    """
    if text is not None and _has_number(text):
        expected = N_("a text without an identity number or a telephone number")
        raise Invalid(Code.NAMED_PERSON, field, "(withheld)", expected)
    return text


def _has_number(text: str) -> bool:
    plain = "".join(map(_plain, unicodedata.normalize("NFKC", text)))
    joined = re.sub(r"[\s._:-]", "", _MOMENT.sub("@", plain))
    if _HEXADECIMAL.fullmatch(joined):
        return any(pattern.search(each) for pattern in _ALONE for each in (plain, joined))
    grouped = (each[0].replace(each[1], "") for each in _GROUPED.finditer(plain))
    written = (plain, joined, *grouped)
    return any(pattern.search(each) for pattern in _BESIDE_LETTERS for each in written)


def _plain(character: str) -> str:
    """A dash of any kind as a hyphen; nothing for what is not seen, such as a space of no width."""
    category = unicodedata.category(character)
    return "-" if category == "Pd" or character == "\N{MINUS SIGN}" else "" if category == "Cf" else character
