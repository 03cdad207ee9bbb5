"""Every text of ours is there in both languages, with the same places for facts in it."""

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "inventory", "coldtrail")
PLACE = re.compile(r"%\(\w+\)[sd]")


def extracted() -> set[str]:
    """Every text that the code and the pages mark for translation."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, _ = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = {
        message
        for package in PACKAGES
        for _, _, message, _, _ in extract_from_dir(ROOT / package, methods, keywords={"N_": None, "gettext": None})
    }
    return {message for message in found if isinstance(message, str)}


def test_every_text_is_translated_into_chinese_and_none_is_left_over() -> None:
    with (ROOT / "api/translations/zh_Hans_CN/LC_MESSAGES/messages.po").open("rb") as file:
        chinese = {message.id: message.string for message in read_po(file) if message.id}
    assert extracted() == set(chinese)
    for english, text in chinese.items():
        assert text, english
        assert sorted(PLACE.findall(str(english))) == sorted(PLACE.findall(str(text))), english
