"""Making a page: one document that holds all that it needs, and a policy under which nothing else is loaded or run."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, make_response, render_template, request
from flask_babel import get_locale, gettext
from markupsafe import Markup

from api.auth import actor
from api.context import now
from api.pages import forms
from api.pages.words import named

STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")

_MARGINS = """@page {{
@top-left {{ content: {subject}; }}
@bottom-left {{ content: {printed}; }}
@bottom-right {{ content: counter(page) " / " counter(pages); }}
}}"""
"""What stands at the edge of each sheet of paper."""


@dataclass(frozen=True)
class Heading:
    """What a page is: its kind, in a line what it is of, the zone of its own clock, and the instant it speaks of.

    Title and subject stand on each sheet of paper.
    """

    title: str
    subject: str
    zone: str
    speaks_of: datetime


def page(template: str, heading: Heading, **facts: Any) -> Response:
    """A page of facts."""
    title, subject, zone = heading.title, heading.subject, heading.zone
    printed = gettext("Printed %(at)s by %(who)s", at=forms.plain_instant(now(), zone), who=actor().name)
    margins = _MARGINS.format(subject=forms.css_text(f"{title} · {subject}"), printed=forms.css_text(printed))
    return _answer(template, (STYLE, margins), printed=printed, **vars(heading), **facts)


def refusal(status: int, title: str, detail: str) -> Response:
    """A page that says why there is none."""
    response = _answer("refusal.html", (STYLE,), title=title, detail=detail)
    response.status_code = status
    return response


def _answer(template: str, styles: tuple[str, ...], **facts: Any) -> Response:
    """The document, under a policy that allows its own style sheets by their digests and nothing else."""
    locale = get_locale()
    body = render_template(
        template,
        styles=[Markup(style) for style in styles],  # noqa: S704  (ours; what others wrote in it is numbers only)
        lang="zh-CN" if locale and locale.language == "zh" else "en",
        address=_address,
        forms=forms,
        named=named,
        **facts,
    )
    allowed = " ".join(f"'sha256-{_digest(style)}'" for style in styles)
    response = make_response(body)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Vary"] = "Accept-Language, Authorization"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _address(lang: str) -> str:
    """Where this page is in a language, with all that was asked of it."""
    return f"{quote(request.path)}?{urlencode({**request.args, 'lang': lang})}"


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
