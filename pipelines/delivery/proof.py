"""What the proving environment proved, bound to what only its run can make (evidence.py).

The run of a proof was started for this commit, and its attempt succeeded. What was once proved is also sealed in the provider's mark,
which counts when the run is gone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.delivery import evidence
from pipelines.delivery.pipeline import STAGING
from pipelines.errors import RefusedError

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.roles import Live

WORKFLOW = ".github/workflows/deploy-staging.yml"
JOB = next(job.title for job in STAGING if job.key == "prove")
FILE = "proof.json"
FORMAT = 1
KIND = evidence.Kind(
    name="the proof",
    workflow=WORKFLOW,
    events=("push", "workflow_run", "workflow_dispatch"),
    job=JOB,
    file=FILE,
    format=FORMAT,
)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """That an environment ran exactly this, and found it good."""

    environment: str
    commit: str
    definition: str
    """`manifest.definition.Definition.digest` of the commit."""
    artifacts: Mapping[str, str]
    """Component -> host/path@sha256:…"""
    run: str = ""
    attempt: str = ""

    def written(self) -> bytes:
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True).encode()


def artifact_name(environment: str, commit: str) -> str:
    """What the proving job calls the artifact."""
    return f"proof-{environment}-{commit}"


def find(
    github: GitHub,
    environment: str,
    commit: str,
    definition: str,
    *,
    main: str,
    sealed: Mapping[str, Live] | None = None,
) -> Proof:
    """The newest proof of a commit. `sealed`: what the hosts of the proving environment have, should the run be gone.

    Raises RefusedError with what was found instead.
    """
    refusals: list[str] = []
    fits = partial(_fits, environment=environment, commit=commit, definition=definition)
    for document, refusal in evidence.look(github, KIND, artifact_name(environment, commit), fits, main=main):
        if document is not None:
            return Proof(**{field.name: document[field.name] for field in fields(Proof)})
        refusals.append(refusal)
    marked = _sealed(environment, commit, definition, sealed or {})
    if marked is not None:
        return marked
    raise RefusedError(
        f"{commit[:7]} was not proved on {environment}",
        where=WORKFLOW,
        why="; ".join(dict.fromkeys(refusals)) or f"no run of the {environment} workflow on {main} proved this commit",
        next_step="see its runs of *Deploy to Staging*; re-run the failed one, wait for the one under way, or dispatch the workflow with "
        f"`commit` = {commit} when it was superseded by a newer commit; then start this again",
    )


def _fits(proof: Mapping[str, Any], run: Mapping[str, Any], environment: str, commit: str, definition: str) -> str:
    artifacts = proof["artifacts"]
    texts = [proof["environment"], proof["commit"], proof["definition"]]
    texts += artifacts.values() if isinstance(artifacts, dict) else [None]
    where = run["html_url"]
    if not all(isinstance(text, str) for text in texts):
        return f"the proof of {where} is not as the suite writes it"
    if (proof["environment"], proof["commit"]) != (environment, commit):
        return f"{where} proved {proof['commit'][:7]} on {proof['environment']}"
    if not _started_for(run, commit):
        return f"{where} was not started for {commit[:7]}"
    return "" if proof["definition"] == definition else "its definition is another than the commit's"


def _started_for(run: Mapping[str, Any], commit: str) -> bool:
    """But for a push the run stands at the default branch's own commit; the workflow's `run-name` names the one that is deployed."""
    return bool(commit == run["head_sha"]) if run["event"] == "push" else commit in str(run["display_title"]).split()


def _sealed(environment: str, commit: str, definition: str, lives: Mapping[str, Live]) -> Proof | None:
    """What the providers' marks bear out: every component has a deployment of this commit that was marked as stable."""
    found: dict[str, str] = {}
    for component, live in lives.items():
        deployed = [live.find(key) for key in live.marks.stable]
        digest = next((d.identity.digest for d in deployed if d and d.identity and d.identity.commit == commit), None)
        if digest is None:
            return None
        found[component] = digest
    return Proof(environment=environment, commit=commit, definition=definition, artifacts=found) if found else None
