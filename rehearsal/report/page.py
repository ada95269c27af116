"""Write a report: `index.html`, one file with everything in it, `report.json`, and the screenshots beside it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from rehearsal.report import findings, timeline, user_traffic
from rehearsal.report.model import Report

KINDS = {
    "action": "action",
    "wait": "wait",
    "assertion": "asserted",
    "live": "live",
    "notification": "notified",
    "faults": "faults",
    "failure": "failed",
}


def write(report: Report, folder: Path, screenshots: Mapping[str, bytes]) -> Path:
    """Write everything; the path of the page. `screenshots`: file name as in the report -> PNG. The folder is made; older files
    of the same names are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in screenshots.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (folder / "report.json").write_text(as_json(report))
    page = folder / "index.html"
    page.write_text(render(report, screenshots), encoding="utf-8", errors="replace")
    return page


def as_json(report: Report) -> str:
    """The model, field by field; `json` of Python's library, with no number that JSON does not know."""
    return json.dumps(asdict(report), allow_nan=False) + "\n"


def render(report: Report, screenshots: Mapping[str, bytes]) -> str:
    """The page. Everything from outside is escaped: by the template, and in plots by svg.escape."""
    environment = Environment(
        loader=PackageLoader("rehearsal.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clock=clock, duration=duration, date=date)
    return environment.get_template("report.html.j2").render(
        report=report,
        kinds=KINDS,
        findings=findings,
        user_traffic=user_traffic,
        timeline=timeline.timeline,
        plot=user_traffic.plot,
        image=lambda file: base64.b64encode(screenshots[file]).decode(),
        kind_colour=lambda activity: timeline.COLOURS.get(activity, "var(--faint)"),
    )


def clock(at: float) -> str:
    """Time of day, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def date(at: float) -> str:
    """Day and time, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%-d %B %Y, %H:%M UTC")


def duration(seconds: float) -> str:
    """0.3 s, 12.5 s, 2 min 5 s."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s"
