"""The names of things in EPCIS: canonical GS1 Digital Link addresses, and private URNs for what has no GS1 key.

A key is never made up: a facility without a GLN, a sensor without a GIAI and a pack with a 20-digit code of the Chinese
system get a URN of ours, which means something only to those who know this installation (decision 0044).
"""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote
from uuid import UUID

from inventory.domain.products import check_digit

ID = "https://id.gs1.org"
PRIVATE = "urn:x-coldtrail:"

_LINK = re.compile(r"https?://[^/?#]+(?:/[^/?#]+)*?/(00|01|414|417|8004)/([^/?#]+)((?:/[^/?#]+/[^/?#]+)*)(?:[?#].*)?")
_ELSEWHERE = re.compile(
    r"https?://(?!id\.gs1\.org/)[^?#]+?(/(?:00|01|253|255|401|402|414|417|8003|8004|8006|8010|8017|8018)/[0-9]{4}[^?#]+)"
    r"(?:[?#].*)?"
)
_NUMBER = re.compile(r'[!"%-/0-9:-?A-Z_a-z]{1,20}')
"""What a batch number may hold (GS1's set 82); an address can hold anything else."""

_PACK = re.compile(r"01([0-9]{14})21(.{1,20})")
_SSCC = re.compile(r"00([0-9]{17})([0-9])")
_URN = re.compile(r"urn:epc:(?:id|class):(sgtin|lgtin|sscc|sgln|pgln|giai):([0-9]{6,12})\.([^.]*)(?:\.(.+))?")


class Batch(NamedTuple):
    """A batch that a URI names."""

    gtin: str
    number: str


class Place(NamedTuple):
    """A facility that a URI names: by its GLN, or by the code that it has here."""

    gln: str | None
    code: str | None


def batch(gtin: str, number: str) -> str:
    """A batch: GTIN and AI 10; what a batch number may hold and an address may not is percent-encoded."""
    return f"{ID}/01/{gtin}/10/{quote(number, safe='')}"


def pack(code: str) -> str:
    """A pack: SGTIN or SSCC where its code is one."""
    if found := _PACK.fullmatch(code):
        return f"{ID}/01/{found[1]}/21/{quote(found[2], safe='')}"
    if (found := _SSCC.fullmatch(code)) and check_digit(found[1]) == found[2]:
        return f"{ID}/00/{code[2:]}"
    return f"{PRIVATE}pack:{quote(code, safe='')}"


def location(gln: str | None, code: str) -> str:
    """A facility as a place."""
    return f"{ID}/414/{gln}" if gln else f"{PRIVATE}facility:{code}"


def party(gln: str | None, code: str) -> str:
    """A facility as a party that possesses goods."""
    return f"{ID}/417/{gln}" if gln else f"{PRIVATE}facility:{code}"


def sensor(giai: str | None, serial: str) -> str:
    """A sensor."""
    return f"{ID}/8004/{quote(giai, safe='')}" if giai else f"{PRIVATE}sensor:{serial}"


def transaction(key: UUID) -> str:
    """A shipment or an event as a paper that others refer to."""
    return f"urn:uuid:{key}"


def batch_of(uri: str) -> Batch | None:
    """The batch of a class-level URI, Digital Link or EPC URN."""
    found = _LINK.fullmatch(canonical(uri))
    if found is None or found[1] != "01":
        return None
    pairs = found[3].split("/")[1:]
    number = unquote(dict(zip(pairs[::2], pairs[1::2], strict=False)).get("10", ""))
    return Batch(found[2].zfill(14), number) if _NUMBER.fullmatch(number) else None


def pack_of(uri: str) -> str | None:
    """The code of the pack that an instance-level URI names, as the ledger writes it; None where no pack has such."""
    code = _code_of(uri)
    return code if code is not None and len(code) <= 64 and code.isprintable() else None


def _code_of(uri: str) -> str | None:
    if uri.startswith(f"{PRIVATE}pack:"):
        return unquote(uri.removeprefix(f"{PRIVATE}pack:"))
    found = _LINK.fullmatch(canonical(uri))
    if found is None:
        return None
    if found[1] == "00":
        return "00" + found[2]
    pairs = found[3].split("/")[1:]
    serial = dict(zip(pairs[::2], pairs[1::2], strict=False)).get("21") if found[1] == "01" else None
    return None if serial is None else f"01{found[2].zfill(14)}21{unquote(serial)}"


def place_of(uri: str) -> Place | None:
    """The facility that a place or a party is; an extension of the GLN (AI 254) is a part of it."""
    if uri.startswith(f"{PRIVATE}facility:"):
        return Place(None, uri.removeprefix(f"{PRIVATE}facility:"))
    found = _LINK.fullmatch(canonical(uri))
    return Place(found[2], None) if found and found[1] in {"414", "417"} else None


@lru_cache(maxsize=4096)
def canonical(uri: str) -> str:
    """An EPC URN, or a Digital Link of any host, as the one of id.gs1.org; any other URI as it is (CBV 2.0, 8.9)."""
    if link := _ELSEWHERE.fullmatch(uri):
        return ID + link[1].rstrip("/")
    found = _URN.fullmatch(uri)
    if found is None:
        return uri
    scheme, company, reference, rest = found[1], found[2], found[3], found[4] or ""
    serial = rest.translate(_ENCODED)
    if scheme in {"sgtin", "lgtin"}:
        qualifier = "21" if scheme == "sgtin" else "10"
        return f"{ID}/01/{_checked(reference[:1] + company + reference[1:])}/{qualifier}/{serial}"
    if scheme == "sscc":
        return f"{ID}/00/{_checked(reference[:1] + company + reference[1:])}"
    if scheme == "giai":
        return f"{ID}/8004/{company}{'.'.join(filter(None, (reference, rest))).translate(_ENCODED)}"
    if scheme == "pgln":
        return f"{ID}/417/{_checked(company + reference)}"
    return f"{ID}/414/{_checked(company + reference)}" + ("" if serial in {"", "0"} else f"/254/{serial}")


_ENCODED = str.maketrans({each: quote(each, safe="") for each in "!()*+,:"})


def _checked(digits: str) -> str:
    return digits + check_digit(digits)
