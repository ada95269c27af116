"""Write a report: `load-report.html`, one file with everything in it, `load-report.json` and `load-summary.md`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadtests.recording import Recording
from loadtests.report import plots, words
from loadtests.report.summary import markdown
from loadtests.verdicts import Judgement, milliseconds

if TYPE_CHECKING:
    from jinja2 import Template

VERSION = 1
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Written:
    """Paths of the report's files."""

    html: Path
    json: Path
    markdown: Path


def write(judgement: Judgement, recording: Recording, folder: Path) -> Written:
    """Write the report into `folder`, which is made; older files of the same names are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    written = Written(
        html=folder / "load-report.html", json=folder / "load-report.json", markdown=folder / "load-summary.md"
    )
    written.html.write_text(html(judgement, recording), encoding="utf-8", errors="replace")
    written.json.write_text(as_json(judgement, recording), encoding="utf-8")
    written.markdown.write_text(markdown(judgement, recording), encoding="utf-8", errors="replace")
    return written


def as_json(judgement: Judgement, recording: Recording) -> str:
    """Everything that the page says. Milliseconds; null where a value is not known or an answer never came."""
    whole = recording.total()
    values = {
        "version": VERSION,
        "run": {
            "profile": recording.profile,
            "environment": recording.environment,
            "release": recording.release,
            "seed": recording.seed,
            "start": recording.start,
            "seconds": recording.seconds,
            "shards": recording.shards,
            "visits_asked": sum(recording.asked.values()),
            "visits_begun": sum(recording.started.values()),
            "requests": whole.count,
            "failed": whole.failed,
            "errors": dict(whole.errors.most_common()),
            "generator_lag_p99_ms": recording.lag.quantile(0.99),
            "generator_later_lag_p99_ms": recording.later_lag.quantile(0.99),
        },
        **asdict(judgement),
        "regressions": [asdict(change) for change in judgement.regressions],
    }
    return json.dumps(plain(values), allow_nan=False, indent=1, ensure_ascii=False) + "\n"


def plain(value: Any) -> Any:
    """As JSON knows it: null for what is not finite, and names for percentiles."""
    if isinstance(value, dict):
        return {f"p{key * 100:g}" if isinstance(key, float) else key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def html(judgement: Judgement, recording: Recording) -> str:
    """The page. Everything from outside is escaped: by the template, and in plots by plots.escape."""
    error_plot, error_kinds = plots.errors(recording)
    return template("report.html.j2").render(
        judgement=judgement,
        recording=recording,
        words=words,
        whole=recording.total(),
        gauge=plots.gauge,
        every=plots.every(recording),
        latency=plots.latency(recording, judgement),
        throughput=plots.throughput(recording, judgement),
        error_plot=error_plot,
        error_kinds=error_kinds,
        distribution=plots.distribution(recording, judgement),
        shares=plots.SHARES,
        errors=_errors(recording),
    )


def template(name: str) -> Template:
    """One of the pages, which escapes everything that it is given."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        ms=milliseconds, interval=words.interval, duration=words.duration, date=_date, times=words.times
    )
    return environment.get_template(name)


def _errors(recording: Recording) -> list[tuple[str, str, int, int]]:
    """(kind, endpoint, failed, requests of the endpoint), most first."""
    found = []
    for name in recording.endpoints:
        whole = recording.total(name)
        found += [(kind, name, count, whole.count) for kind, count in whole.errors.items()]
    return sorted(found, key=lambda row: (-row[2], row[:2]))


def _date(at: float) -> str:
    """Day and time, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%-d %B %Y, %H:%M UTC")
