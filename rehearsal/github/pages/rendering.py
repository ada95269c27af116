"""Templates, and the filters they use."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from rehearsal.github.pages import markdown, state_labels
from rehearsal.github.view import quoted

_TEMPLATES = Path(__file__).parent / "templates"
SCRIPT = Markup((_TEMPLATES / "live.js").read_text(encoding="utf-8"))  # noqa: S704 - our own
STYLE = Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - our own

SCRIPT_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}'"
"""How a Content-Security-Policy names the one script there is."""


def render(template: str, context: Mapping[str, Any]) -> str:
    return _ENVIRONMENT.get_template(template).render(context)


def tag(body: str, now: datetime) -> str:
    """The ETag of a page: the same while nothing but the time has changed."""
    return f'"{hashlib.sha256(body.replace(now.isoformat(), "").encode()).hexdigest()[:32]}"'


def when(at: datetime | None) -> Markup:
    """A time; the script makes it `3 minutes ago`, and without it the date stays."""
    if at is None:
        return Markup("")
    text = at.astimezone(UTC).strftime("%-d %b %Y, %H:%M UTC")
    return Markup('<time datetime="{}" title="{}" data-ago>{}</time>').format(at.isoformat(), text, text)


def took(start: datetime | None, end: datetime | None) -> Markup:
    """How long something took; while it runs the script counts."""
    if start is None:
        return Markup("")
    if end is None:
        text = f"since {start.astimezone(UTC):%H:%M:%S}"
        return Markup('<span data-since="{}">{}</span>').format(start.isoformat(), text)
    return Markup('<span class="took">{}</span>').format(span((end - start).total_seconds()))


def span(seconds: float) -> str:
    """1.4 s, 12 s, 3 min 20 s, 1 h 5 min"""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: int) -> str:
    """412 B, 3.1 KB, 20 MB"""
    amount = float(count)
    for unit in ("B", "KB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def web(address: str | None) -> str:
    """An address from outside if a browser may follow it, otherwise nothing: no `javascript:`, no `data:`."""
    text = (address or "").strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.netloc else ""


def initial(login: str) -> str:
    return (login or "?")[0].upper()


def hue(login: str) -> int:
    """A colour for an account, always the same."""
    return hashlib.sha256(login.encode()).digest()[0] * 360 // 256


def _build() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "when": when,
        "span": span,
        "size": size,
        "web": web,
        "path": quoted,
        "initial": initial,
        "hue": hue,
        "markdown": markdown.render,
        "state_label": state_labels.of,
    }
    environment.globals |= {"took": took, "script": SCRIPT, "style": STYLE}
    return environment


_ENVIRONMENT = _build()
