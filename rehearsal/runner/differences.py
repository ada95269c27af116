"""What a job's steps use that act leaves empty, where GitHub would not: noted in the log."""

from __future__ import annotations

import json
import re

from rehearsal.runner.workflow import JobSpec

_EMPTY = {
    "github.triggering_actor": "$GITHUB_TRIGGERING_ACTOR",
    "github.workflow_ref": "$GITHUB_WORKFLOW_REF",
    "github.workflow_sha": "$GITHUB_WORKFLOW_SHA",
    "github.repository_id": "$GITHUB_REPOSITORY_ID",
    "github.repository_owner_id": "$GITHUB_REPOSITORY_OWNER_ID",
    "github.actor_id": "$GITHUB_ACTOR_ID",
    "github.ref_protected": "$GITHUB_REF_PROTECTED",
    "runner.name": "$RUNNER_NAME",
    "runner.environment": "$RUNNER_ENVIRONMENT",
    "strategy.job-index": "an entry of the matrix",
    "strategy.job-total": "an entry of the matrix",
    "job.services": "the addresses the world gives in the environment",
}
"""Expression -> what holds the value in both places."""
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def notes(spec: JobSpec) -> list[str]:
    """One warning for each expression in the job's steps, env or outputs that is empty here."""
    kept = {name: spec.raw.get(name) for name in ("env", "steps", "outputs")}
    used = " ".join(_EXPRESSION.findall(json.dumps(kept))) + " ".join(str(step.get("if", "")) for step in spec.steps)
    return [
        f"##[warning]{expression} is empty in the steps of a rehearsal (act does not have it); use {instead} instead."
        for expression, instead in _EMPTY.items()
        if re.search(rf"(?<![\w.-]){re.escape(expression)}(?![\w-])", used)
    ]
