"""The workflow files, read, and whether a job of one runs after others ended so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from rehearsal.runner.expressions import Scope, condition

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
CI = FOLDER / "ci.yml"
PRODUCTION = FOLDER / "deploy-production.yml"
STAGING = FOLDER / "deploy-staging.yml"
NIGHTLY = FOLDER / "browser-tests.yml"


def read(file: Path) -> dict[str, Any]:
    """The file; its key `on` as text."""
    content = yaml.safe_load(file.read_text())
    assert isinstance(content, dict)
    # YAML 1.1 reads the key `on` as true.
    content["on"] = content.pop(True, content.get("on"))
    return content


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    """By key, in their order."""
    found: dict[str, dict[str, Any]] = read(file)["jobs"]
    return found


def steps(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Key of the job and step, of all jobs."""
    for name, job in jobs(file).items():
        for step in job.get("steps", []):
            yield name, step


def triggers(file: Path) -> dict[str, Any]:
    """By event, whichever form the file has."""
    on = read(file)["on"]
    return on if isinstance(on, dict) else {key: {} for key in ([on] if isinstance(on, str) else on)}


def runs(
    file: Path, job: str, results: dict[str, str], *, cancelled: bool = False, outputs: dict[str, str] | None = None
) -> bool:
    """Whether a job runs after others ended so; those not named succeeded. `outputs`: of each of them."""
    raw = jobs(file)[job]
    ended = {need: results.get(need, "success") for need in raw["needs"]}
    given = {"state": "to do", **(outputs or {})}
    needs = {need: {"result": result, "outputs": given} for need, result in ended.items()}
    status = {
        "success": not cancelled and set(ended.values()) == {"success"},
        "failure": not cancelled and "failure" in ended.values(),
        "cancelled": cancelled,
    }
    return condition(raw.get("if", "success()"), Scope(contexts={"needs": needs}, status=status))
