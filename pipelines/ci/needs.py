"""What the jobs before came to, as the last jobs of ci.yml see it: `toJSON(needs)`, and the results the checks uploaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.errors import InputError

PASSED, FAILED, SKIPPED, CANCELLED, MISSING = "passed", "failed", "skipped", "cancelled", "missing"
LEFT_OUT = "not run"
PLANNER, CHECKS = "plan", "check"
"""The job that plans, and the one whose matrix holds the checks."""
LARGEST = 1_000_000
"""Bytes of a result; a job writes a few thousand, and more is none of ours."""

_WORDS = {"success": PASSED, "failure": FAILED, "timed_out": FAILED, "cancelled": CANCELLED, "skipped": MISSING}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One check of the manifest: whether it was to run, and why."""

    check: str
    title: str
    runs: bool
    why: str
    left_out: bool = False
    """A rehearsal leaves it out."""

    @property
    def skipped(self) -> str:
        """The word for one that does not run."""
        return LEFT_OUT if self.left_out else SKIPPED


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One job that was to run. `name` is what its result is kept under."""

    name: str
    check: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The jobs before this one. `decided` and `legs` are empty when the plan failed."""

    planner: str
    """What GitHub says of the job that planned: success, failure, cancelled, skipped; `missing` when it says nothing."""
    checks: str
    """The same of the jobs of the matrix together: success only if each succeeded."""
    decided: tuple[Decision, ...]
    legs: tuple[Leg, ...]
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name of a leg -> what it uploaded (`check.Result.as_json`); nothing for one that did not come so far."""
    ended: Mapping[str, str] = field(default_factory=dict)
    """Title of a leg -> conclusion of its job, where GitHub was asked."""

    def outcome(self, leg: Leg) -> str:
        """What a leg came to: by its job where that is known, else by its own result, else by all of them together."""
        if leg.title in self.ended:
            return _WORDS.get(self.ended[leg.title], MISSING)
        message = self.results.get(leg.name, {}).get("passed")
        if isinstance(message, bool):
            return PASSED if message else FAILED
        return PASSED if self.checks == "success" else MISSING


def parse(text: str, results: Path) -> Needs:
    """From `toJSON(needs)` and the folder of downloaded results. Raises InputError when the first is not what GitHub gives."""
    jobs = _json(text)
    if not isinstance(jobs, dict) or not all(isinstance(job, dict) for job in jobs.values()):
        raise InputError(
            "is not what GitHub knows of the jobs before", where="needs", next_step="pass `${{ toJSON(needs) }}`"
        )
    outputs = jobs.get(PLANNER, {}).get("outputs") or {}
    return Needs(
        planner=str(jobs.get(PLANNER, {}).get("result") or MISSING),
        checks=str(jobs.get(CHECKS, {}).get("result") or MISSING),
        decided=tuple(
            Decision(
                check=_text(one, "check"),
                title=_text(one, "title"),
                runs=one.get("runs") is True,
                why=_text(one, "why"),
                left_out=one.get("left_out") is True,
            )
            for one in _objects(outputs.get("plan"))
        ),
        legs=tuple(
            Leg(name=_text(one, "name"), check=_text(one, "check"), title=_text(one, "title"))
            for one in _objects(outputs.get("legs"))
        ),
        results=dict(_results(results)),
    )


def _results(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """What is no result is left out, so that its leg has none."""
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    read = [(file.stem, _json(file.read_text(errors="replace"))) for file in files if file.stat().st_size <= LARGEST]
    return [(name, content) for name, content in read if isinstance(content, dict)]


def _objects(text: Any) -> list[dict[str, Any]]:
    found = _json(str(text or ""))
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(one: Mapping[str, Any], key: str) -> str:
    return str(one.get(key) or "")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
