"""GitHub's `needs` as a job sees it (`toJSON(needs)`): what was planned, what each check came to, what it said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.ci.matrix import SKIP
from pipelines.errors import InputError

PASSED, FAILED, SKIPPED, CANCELLED, MISSING = "passed", "failed", "skipped", "cancelled", "missing"


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The jobs before this one. `decided` and `reasons` are the outputs of the job that planned, empty when it failed."""

    results: Mapping[str, str]
    decided: Mapping[str, str]
    reasons: Mapping[str, str]
    said: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """check -> what its job put out (`check.Result.as_json`); nothing for one that never ran."""

    def outcome(self, check: str) -> str:
        result = self.results.get(check, MISSING)
        planned_away = self.decided.get(check) == SKIP
        return {
            "success": PASSED,
            "failure": FAILED,
            "cancelled": CANCELLED,
            "skipped": SKIPPED if planned_away else MISSING,
        }.get(result, MISSING)


def parse(text: str, planner: str) -> Needs:
    """From `toJSON(needs)`. Raises InputError when it is not that."""
    jobs = _object(text)
    if jobs is None or not all(isinstance(job, dict) for job in jobs.values()):
        raise InputError(
            "is not what GitHub knows of the jobs before", where="needs", next_step="pass `${{ toJSON(needs) }}`"
        )
    outputs = {name: job.get("outputs") or {} for name, job in jobs.items()}
    plan = outputs.get(planner, {})
    said = {name: found for name, of in outputs.items() if (found := _object(of.get("result") or "")) is not None}
    return Needs(
        results={name: str(job.get("result") or MISSING) for name, job in jobs.items()},
        decided=_texts(plan.get("checks")),
        reasons=_texts(plan.get("reasons")),
        said=said,
    )


def _texts(value: Any) -> dict[str, str]:
    return {str(key): str(text) for key, text in (_object(str(value or "")) or {}).items()}


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
