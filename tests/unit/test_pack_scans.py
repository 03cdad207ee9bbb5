"""Whatever a scanner gives, a pack has one code, and what its label says is held against the book."""

from datetime import date

import pytest

from inventory.domain.errors import Code, Conflict, Invalid
from inventory.domain.scans import PackScan
from inventory.services.scans import read

GTIN, WRONG = "06901234567892", "06901234567893"
SGTIN = f"01{GTIN}21Ab1"
SSCC = "00106141412345678908"
FULL = PackScan(SGTIN, "1A/2", "260630")


@pytest.mark.parametrize(
    "text",
    [
        f"01{GTIN}17260630101A/2\x1d21Ab1",
        f"\x1d01{GTIN}17260630101A/2\x1d21Ab1",
        f"]d201{GTIN}17260630101A/2\x1d21Ab1",
        f"]C101{GTIN}21Ab1\x1d101A/2\x1d17260630",
        f"]Q3\x1d01{GTIN}21Ab1\x1d17260630101A/2",
        f"]d201{GTIN}17260630101A/2%1d21Ab1",
        f"01{GTIN}17260630101A/2%1D21Ab1",
        f"  01{GTIN}17260630101A/2\x1d21Ab1\r\n",
        f"(01){GTIN}(17)260630(10)1A/2(21)Ab1",
        f"(01) {GTIN} (17) 260630 (10) 1A/2 (21) Ab1",
        f"https://id.gs1.org/01/{GTIN}/10/1A%2F2/21/Ab1?17=260630",
        f"HTTPS://ID.GS1.ORG/01/{GTIN}/10/1A%2F2/21/Ab1?17=260630",
        f"http://example.com/some/where/01/{GTIN}/10/1A%2f2/21/Ab1?17=260630&linkType=all",
        f"]Q1https://id.gs1.org/01/{GTIN}/10/1A%2F2/21/Ab1?17=260630",
    ],
)
def test_every_form_of_a_label_is_read_as_the_same(text: str) -> None:
    assert read(text) == FULL


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (SGTIN, SGTIN),
        (SSCC, SSCC),
        (f"]C1{SSCC}", SSCC),
        ("(00)106141412345678908", SSCC),
        ("https://id.gs1.org/00/106141412345678908", SSCC),
        (f"{SSCC}02{GTIN}3712", SSCC),
        ("81234567890123456789", "81234567890123456789"),
        ("]C081234567890123456789", "81234567890123456789"),
        ("]d181234567890123456789\n", "81234567890123456789"),
        (GTIN, GTIN),
        ("A/B(21)%", "A/B(21)%"),
        ("A%1DB", "A%1DB"),
    ],
)
def test_codes_are_stored_in_one_form(text: str, code: str) -> None:
    assert read(text).code == code
    assert read(code).code == code


def test_letters_keep_their_case() -> None:
    assert read(f"01{GTIN}21ab1").code != read(f"01{GTIN}21AB1").code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"01{WRONG}21Ab1", Code.WRONG_CHECK_DIGIT),
        (f"(01){WRONG}(21)Ab1", Code.WRONG_CHECK_DIGIT),
        (f"https://id.gs1.org/01/{WRONG}/21/Ab1", Code.WRONG_CHECK_DIGIT),
        ("00106141412345678909", Code.WRONG_CHECK_DIGIT),
        ("(00)106141412345678909", Code.WRONG_CHECK_DIGIT),
        ("]C100106141412345678909", Code.WRONG_CHECK_DIGIT),
        (f"(01){GTIN}(10)1A", Code.MALFORMED),  # no serial: a whole batch is no pack
        (f"(01){GTIN}(21)A(1)", Code.MALFORMED),  # a serial with brackets can be read in two ways
        (f"(01){GTIN}(21)A\x1d1", Code.MALFORMED),
        (f"01{GTIN}21A1\x1d21A2", Code.MALFORMED),  # two serials
        (f"01{GTIN}17261301101A\x1d21A1", Code.MALFORMED),  # no month 13
        (f"]D201{GTIN}21Ab1", Code.MALFORMED),  # identifiers have their case, and so have serials: caps lock
        ("https://id.gs1.org/nothing", Code.MALFORMED),
        ("https://[id/01/1", Code.MALFORMED),
        ("ABCD\x1dEFGH", Code.MALFORMED),
        ("]d281234567890123456789", Code.MALFORMED),
        ("AAA", Code.MALFORMED),
        ("A" * 65, Code.MALFORMED),
        ("AB CD", Code.MALFORMED),
        ("AB\nCD", Code.MALFORMED),
        ("中文中文", Code.MALFORMED),
        ("８１２３４５６７８９０１２３４５６７８９", Code.MALFORMED),
        ("", Code.MALFORMED),
    ],
)
def test_what_no_label_says_is_refused(text: str, code: Code) -> None:
    with pytest.raises(Invalid) as refused:
        read(text)
    assert (refused.value.code, refused.value.field) == (code, "pack")


@pytest.mark.parametrize("printed", ["260630", "260600", None])
def test_a_label_that_says_what_the_book_says_agrees(printed: str | None) -> None:
    PackScan(SGTIN, "1A", printed).agree("pack", "1A", date(2026, 6, 30))
    PackScan(SGTIN).agree("pack", "1A", date(2026, 6, 30))


@pytest.mark.parametrize(
    ("batch", "expiry", "said", "book"),
    [("1a", "260630", "1a", "1A"), ("1A", "260629", "260629", "2026-06-30"), ("1A", "270600", "270600", "2026-06-30")],
)
def test_a_label_that_says_otherwise_is_refused_with_both(batch: str, expiry: str, said: str, book: str) -> None:
    with pytest.raises(Conflict) as refused:
        PackScan(SGTIN, batch, expiry).agree("pack", "1A", date(2026, 6, 30))
    assert (refused.value.code, refused.value.value) == (Code.PACK_DIFFERS, said)
    assert book in str(refused.value)


def test_a_month_without_its_day_is_its_last() -> None:
    with pytest.raises(Conflict):
        PackScan(SGTIN, expiry="260600").agree("pack", "1A", date(2026, 6, 29))
