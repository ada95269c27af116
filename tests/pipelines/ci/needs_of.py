"""`needs` as the last jobs of ci.yml see it, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.ci.needs import Needs, parse


def needs(
    folder: Path, plan: dict[str, str], *, check: str = "success", uploaded: dict[str, Any] | None = None, **more: Any
) -> Needs:
    """`plan` is check -> empty when it runs, else why not; `uploaded` what its jobs uploaded; `more` replaces outputs of the plan."""
    decided = [{"check": name, "title": name.title(), "runs": not why, "why": why} for name, why in plan.items()]
    legs = [{"name": name, "check": name, "title": name.title()} for name, why in plan.items() if not why]
    for name, content in (uploaded or {}).items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    outputs = {"plan": json.dumps(decided), "legs": json.dumps(legs), **more}
    jobs = {"plan": {"result": "success", "outputs": outputs}, "check": {"result": check, "outputs": {}}}
    return parse(json.dumps(jobs), folder)
