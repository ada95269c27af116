"""Write a report: `index.html`, one file with everything in it, and `report.json`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from rehearsal.report import plots
from rehearsal.report.model import Entry, Report, Story

SHOWN_KINDS = {
    "act": "does",
    "wait": "waits",
    "proof": "proves",
    "live": "live",
    "message": "told",
    "faults": "faults",
    "failure": "failed",
}


def write(report: Report, folder: Path) -> Path:
    """Write both files; the path of the page. The folder is made; older files of the same names are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(asdict(report), indent=1) + "\n")
    page = folder / "index.html"
    page.write_text(render(report))
    return page


def render(report: Report) -> str:
    """The page. Everything from outside is escaped by the template."""
    environment = Environment(
        loader=PackageLoader("rehearsal.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clock"] = _clock
    environment.filters["duration"] = _duration
    return environment.get_template("report.html.j2").render(
        report=report,
        plots=plots,
        kinds=SHOWN_KINDS,
        live=_live(report),
        returns=_returns(report),
        users=_users,
        asked=sum(len(sights) for story in report.stories for sights in story.users.values()),
        failed=sum(not s.ok for story in report.stories for sights in story.users.values() for s in sights),
    )


def _live(report: Report) -> list[tuple[Story, Entry]]:
    """What went live and when, in the order of time."""
    return [(story, entry) for story in report.stories for entry in story.entries if entry.kind == "live"]


def _returns(report: Report) -> list[tuple[Story, Entry, float]]:
    """What was taken back, and how fast."""
    found = []
    for story in report.stories:
        for entry in story.entries:
            seconds = entry.facts.get("back_seconds") or (
                entry.facts.get("seconds") if "is back to" in entry.text else None
            )
            if seconds is not None:
                found.append((story, entry, float(seconds)))
    return found


def _users(story: Story, component: str) -> dict[str, object]:
    """Figures under a plot: how many requests, how many failed, the slowest and the 95th of a hundred."""
    sights = story.users[component]
    good = sorted(s.ms for s in sights if s.ok)
    return {
        "asked": len(sights),
        "failed": sum(not s.ok for s in sights),
        "p95": good[int(len(good) * 0.95) - 1] if good else 0.0,
        "slowest": good[-1] if good else 0.0,
        "colours": plots.release_colours(sights),
    }


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {seconds % 60:.0f} s"
