"""What a mail says of a notice, in the reader's language: a sentence as its subject, and the facts, a line each."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.support import NullTranslations, Translations

import api
from inventory.domain.adverse_events import AdverseEventKind
from inventory.domain.deadlines import RuleName
from inventory.domain.errors import N_
from inventory.domain.notices import NoticeKind
from inventory.domain.words import Side
from inventory.services.notices import NoticeView

CATALOGUES = Path(api.__file__).with_name("translations")


class Language(StrEnum):
    """A language that mails are written in."""

    ENGLISH = "en"
    CHINESE = "zh"


_SUBJECTS = {
    NoticeKind.DUE_IN_6_HOURS: N_("%(facility)s: batch %(batch)s is due in less than 6 hours"),
    NoticeKind.DUE_IN_2_HOURS: N_("%(facility)s: batch %(batch)s is due in less than 2 hours"),
    NoticeKind.MISSED: N_("%(facility)s: batch %(batch)s has missed its deadline"),
    NoticeKind.EXCURSION: N_("%(facility)s: temperature excursion, sensor %(sensor)s"),
    NoticeKind.SILENCE: N_("%(facility)s: no readings from sensor %(sensor)s"),
    NoticeKind.SHORTFALL: N_("%(facility)s: fewer doses arrived than were sent to %(to_facility)s"),
    NoticeKind.REFUSED_GOODS: N_("%(facility)s: goods were refused"),
    NoticeKind.RECALL: N_("%(facility)s: batch %(batch)s is recalled"),
    NoticeKind.REPORT_DUE: N_("%(facility)s: adverse event after %(batch)s to be reported"),
    NoticeKind.REPORT_MISSED: N_("%(facility)s: adverse event after %(batch)s not reported in time"),
    NoticeKind.CHECKPOINT: N_("checkpoint of %(origin)s, %(size)s leaves"),
}

_LABELS = {
    "facility": N_("Facility"),
    "appliance": N_("Appliance"),
    "to_facility": N_("Sent to"),
    "supplier": N_("Supplier"),
    "shipment": N_("Shipment"),
    "return_shipment": N_("Shipment back"),
    "ordered_by": N_("Recalled by"),
    "sensor": N_("Sensor"),
    "side": N_("Temperature"),
    "rule": N_("Rule"),
    "threshold_celsius": N_("Limit, °C"),
    "extreme_celsius": N_("Extreme, °C"),
    "adverse_event": N_("Adverse event"),
    "adverse_event_kind": N_("Its kind"),
    "administration": N_("Administration"),
    "product": N_("Product"),
    "gtin": "GTIN",
    "batch": N_("Batch"),
    "doses": N_("Doses"),
    "lines": N_("Doses by batch"),
    "found_at": N_("Found at"),
    "deadline": N_("Deadline"),
    "opened_at": N_("Clock began"),
    "due_at": N_("Due"),
    "silent_since": N_("Silent since"),
    "started_at": N_("Began"),
    "alarm_at": N_("Limit of time reached"),
    "ended_at": N_("Ended"),
    "reason": N_("Reason"),
    "origin": N_("Log"),
    "size": N_("Leaves"),
    "signed_at": N_("Signed"),
    "checkpoint": N_("Checkpoint; keep it as it is, apart from the log"),
}
"""The facts that a mail names, in this order."""

_TIMES = frozenset({"opened_at", "due_at", "silent_since", "started_at", "alarm_at", "ended_at", "signed_at"})

_WORDS = {
    RuleName.DELIVER: N_("delivery to a site"),
    RuleName.FORWARD: N_("forwarding by the county store"),
    RuleName.USE: N_("use at the site"),
    RuleName.OPEN_VIAL: N_("use of an opened vial"),
    RuleName.THAW: N_("use after thawing"),
    Side.ABOVE: N_("too warm"),
    Side.BELOW: N_("too cold"),
    AdverseEventKind.GENERAL: N_("general reaction"),
    AdverseEventKind.SERIOUS: N_("serious"),
    AdverseEventKind.DISABILITY: N_("serious disability"),
    AdverseEventKind.DEATH: N_("death"),
    AdverseEventKind.CLUSTER: N_("cluster"),
    AdverseEventKind.PUBLIC_CONCERN: N_("of public concern"),
}
_UNTIL_NOW = N_("not yet")
_NOWHERE = N_("no place")


class Texts:
    """Subjects and texts in one language."""

    def __init__(self, language: Language) -> None:
        locales = ["zh_Hans_CN"] if language is Language.CHINESE else []
        self._translations: NullTranslations = Translations.load(CATALOGUES, locales)

    def subject(self, notice: NoticeView) -> str:
        """One line that says what it is about and where."""
        facts = {"facility": notice.facility or self._say(_NOWHERE), **notice.body}
        return "Coldtrail: " + self._say(_SUBJECTS[notice.kind]) % facts

    def text(self, notice: NoticeView) -> str:
        """The facts, times by the clock of the facility."""
        return "\n".join([*self._lines(notice.body), "", str(notice.id), ""])

    def _lines(self, body: dict[str, Any]) -> Iterator[str]:
        zone = ZoneInfo(body.get("zone", "UTC"))
        for name, label in _LABELS.items():
            if name not in body or (body[name] is None and name != "ended_at"):
                continue
            yield f"{self._say(label)}: {self._value(name, body[name], zone)}"

    def _value(self, name: str, value: Any, zone: ZoneInfo) -> str:
        if value is None:
            return self._say(_UNTIL_NOW)
        if name == "lines":
            return ", ".join(f"{line['gtin']} {line['batch']} {line['doses']}" for line in value)
        if name in _TIMES:
            return f"{datetime.fromisoformat(value).astimezone(zone):%Y-%m-%d %H:%M %z}"
        if name in {"deadline", "side", "adverse_event_kind"}:
            return self._say(_WORDS[value])
        return str(value)

    def _say(self, text: str) -> str:
        return str(self._translations.gettext(text))
