"""Who is answered in Chinese: whoever prefers any Chinese to English, by the weights that he gives."""

import pytest

from tests.http import Client

CHINESE, ENGLISH = "zh-Hans-CN", "en"


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("zh", CHINESE),
        ("zh-CN", CHINESE),
        ("zh-HK,en;q=0.1", CHINESE),
        ("zh-Hans-CN;q=0.9,en;q=0.1", CHINESE),
        ("zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", CHINESE),
        ("ZH-cn", CHINESE),
        ("en;q=0.1, zh-SG;q=0.2", CHINESE),
        ("fr,zh-HK;q=0.5,en;q=0.4", CHINESE),
        ("zh-HK,en", CHINESE),
        ("en,zh", ENGLISH),
        ("en-GB;q=0.9,zh-HK;q=0.8", ENGLISH),
        ("en-US,en;q=0.9,zh-CN;q=0.8", ENGLISH),
        ("zh;q=0,en;q=0.1", ENGLISH),
        ("zh;q=0", ENGLISH),
        ("fr, zha;q=0.9", ENGLISH),
        ("*", ENGLISH),
        ("*,zh;q=0.5", ENGLISH),
        ("zh;q=0.5,*;q=0.1", CHINESE),
        ("", ENGLISH),
        ("zh;q=much", ENGLISH),
    ],
)
def test_the_language_is_the_preferred_of_those_that_there_are(client: Client, accepted: str, expected: str) -> None:
    answer = client.send("GET", "/api/v1/stock", headers={"Accept-Language": accepted})
    assert answer.headers["Content-Language"] == expected
    assert ("令牌" in answer.content.decode()) == (expected == CHINESE)
