"""What a mail says, in both languages."""

from typing import Any
from uuid import UUID

import pytest

from coldtrail.mail import Mail, MailSettings, Security, SmtpServer
from coldtrail.mail_texts import Language, Texts
from inventory.domain.notices import NoticeKind
from inventory.services.notices import NoticeView
from tests.county import NOW

ID = UUID("01890000-0000-7000-8000-000000000001")
PLACE = {"facility": "SITE-A", "zone": "Asia/Shanghai"}
CLOCK = {
    "deadline": "use",
    "rule_set": "double-24",
    "gtin": "06901234567892",
    "product": "麻疹疫苗",
    "batch": "B1",
    "doses": 12,
    "opened_at": "2026-01-04T04:00:00Z",
    "due_at": "2026-01-05T04:00:00Z",
}
EVENT = {
    "adverse_event": str(ID),
    "adverse_event_kind": "death",
    "administration": str(ID),
    "gtin": "06901234567892",
    "product": "麻疹疫苗",
    "batch": "B1",
    "opened_at": "2026-01-05T02:00:00Z",
    "due_at": "2026-01-05T04:00:00Z",
}
LINES = [{"gtin": "06901234567892", "batch": "B1", "doses": 3}, {"gtin": "09506000134352", "batch": "B2", "doses": 4}]
BODIES: dict[NoticeKind, dict[str, Any]] = {
    NoticeKind.DUE_IN_6_HOURS: PLACE | CLOCK,
    NoticeKind.DUE_IN_2_HOURS: PLACE | CLOCK | {"shipment": str(ID), "to_facility": "SITE-B"},
    NoticeKind.MISSED: PLACE | CLOCK,
    NoticeKind.EXCURSION: PLACE
    | {
        "appliance": "A-FRIDGE",
        "excursion": str(ID),
        "sensor": "S-A",
        "side": "above",
        "rule": "HEAT",
        "threshold_celsius": 8.0,
        "extreme_celsius": 12.5,
        "started_at": "2026-01-05T00:00:00Z",
        "alarm_at": "2026-01-05T02:00:00Z",
        "ended_at": None,
    },
    NoticeKind.SILENCE: {"sensor": "S-FREE", "silent_since": "2026-01-05T00:00:00Z", "ended_at": None},
    NoticeKind.SHORTFALL: PLACE | {"shipment": str(ID), "to_facility": "SITE-B", "lines": LINES},
    NoticeKind.REFUSED_GOODS: PLACE | {"supplier": "MAKER", "lines": LINES, "reason": "no temperature record"},
    NoticeKind.RECALL: PLACE | {"ordered_by": "CITY", "gtin": "06901234567892", "batch": "B1", "doses": 7},
    NoticeKind.CHECKPOINT: {
        "origin": "coldtrail.example.org/county",
        "size": 7,
        "signed_at": "2026-01-05T02:00:00Z",
        "checkpoint": "coldtrail.example.org/county\n7\n",
    },
    NoticeKind.REPORT_DUE: PLACE | EVENT,
    NoticeKind.REPORT_MISSED: PLACE | EVENT | {"adverse_event_kind": "general"},
}


def notice(kind: NoticeKind, **other: Any) -> NoticeView:
    body = BODIES[kind] | other
    return NoticeView(ID, kind, body.get("facility"), body, NOW)


def mail(kind: NoticeKind = NoticeKind.MISSED, **other: Any) -> Any:
    server = SmtpServer("127.0.0.1", 25, Security.NONE)
    settings = MailSettings(server, "coldtrail@county.example", ("a@example.org", "b@example.org"), Language.ENGLISH)
    return Mail(settings).message(notice(kind, **other))


def test_every_kind_of_notice_has_a_body_here() -> None:
    assert set(BODIES) == set(NoticeKind)


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("language", Language)
def test_every_kind_has_a_subject_and_a_text_in_each_language(kind: NoticeKind, language: Language) -> None:
    texts = Texts(language)
    subject, text = texts.subject(notice(kind)), texts.text(notice(kind))
    assert "%(" not in subject + text
    assert str(ID) in text
    for value in ("SITE-A", "B1", "S-A", "MAKER"):
        assert (value in text) == (value in str(BODIES[kind]))


def test_a_text_is_facts_a_line_each_with_times_by_the_facilitys_clock() -> None:
    assert Texts(Language.ENGLISH).text(notice(NoticeKind.MISSED)).splitlines() == [
        "Facility: SITE-A",
        "Product: 麻疹疫苗",
        "GTIN: 06901234567892",
        "Batch: B1",
        "Doses: 12",
        "Deadline: use at the site",
        "Clock began: 2026-01-04 12:00 +0800",
        "Due: 2026-01-05 12:00 +0800",
        "",
        str(ID),
    ]


def test_what_goes_on_is_said_to_go_on_and_what_has_no_place_to_have_none() -> None:
    texts = Texts(Language.ENGLISH)
    assert "Ended: not yet" in texts.text(notice(NoticeKind.EXCURSION)).splitlines()
    assert texts.subject(notice(NoticeKind.SILENCE)) == "Coldtrail: no place: no readings from sensor S-FREE"
    assert "Silent since: 2026-01-05 00:00 +0000" in texts.text(notice(NoticeKind.SILENCE)).splitlines()


def test_where_doses_were_found_is_a_facility_and_no_time() -> None:
    text = Texts(Language.ENGLISH).text(notice(NoticeKind.SHORTFALL, found_at="20260101"))
    assert "Found at: 20260101" in text.splitlines()


def test_doses_of_several_batches_are_listed() -> None:
    text = Texts(Language.ENGLISH).text(notice(NoticeKind.SHORTFALL))
    assert "Doses by batch: 06901234567892 B1 3, 09506000134352 B2 4" in text.splitlines()


def test_the_chinese_mail_is_chinese() -> None:
    texts = Texts(Language.CHINESE)
    assert texts.subject(notice(NoticeKind.MISSED)) == "Coldtrail: SITE-A：批次 B1 已超过时限"
    assert "时限: 接种点使用" in texts.text(notice(NoticeKind.MISSED)).splitlines()


def test_a_mail_says_whose_notice_it_is_and_that_no_person_wrote_it() -> None:
    found = mail()
    assert found["Message-ID"] == f"<notice-{ID}@county.example>"
    assert (found["From"], found["To"]) == ("coldtrail@county.example", "a@example.org, b@example.org")
    assert found["Subject"] == "Coldtrail: SITE-A: batch B1 has missed its deadline"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Date"].datetime == NOW


@pytest.mark.parametrize("batch", ["B1\r\nBcc: all@example.org", "B1\nBcc: all@example.org", "B1\r", "B1\x0bX: y"])
def test_nothing_in_a_notice_can_make_a_header(batch: str) -> None:
    found = mail(batch=batch)
    assert "Bcc" not in found
    assert found["Subject"].count("\n") == 0
    assert "\nBcc:" not in found.as_string().partition("\n\n")[0].replace("\n ", " ")
