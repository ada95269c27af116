"""What the proving environment proved, bound to what only its run can make.

A proof is an artifact of the proving run's own attempt. Whoever may push can write records, statuses and check runs, and can upload an
artifact of any name from a branch; nobody can make a run of the proving workflow on the default branch say what it did not do. So an
artifact is believed only when its run is that workflow, on the default branch, started for this commit by an event that no branch's file
can fake, when the job that proves uploaded it (other jobs of that run build and test code of the release, which can upload what it
likes), and when that attempt succeeded. What was once proved is also sealed in the provider's mark, which counts when the run is gone.
Source: docs.github.com/rest/actions/artifacts, …/workflow-runs, …/workflow-jobs
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.delivery.pipeline import STAGING
from pipelines.errors import RefusedError, ShipmateError

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.roles import Live

WORKFLOW = ".github/workflows/deploy-staging.yml"
EVENTS = ("push", "workflow_run")
JOB = next(job.title for job in STAGING if job.key == "prove")
FILE = "proof.json"
FORMAT = 1
MOST = 10
"""Artifacts of one name that are looked into: more than one is rare."""
MOST_PAGES = 20
"""Of a hundred artifacts each, whoever made them: a branch's workflow can make many of the name."""
LARGEST = 1_000_000
"""Bytes of a proof."""


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
    doubts: list[str] = []
    for proof, doubt in _looked_at(github, environment, commit, main):
        if proof is not None and proof.definition == definition:
            return proof
        doubts.append(doubt or "its definition is another than the commit's")
    marked = _sealed(environment, commit, definition, sealed or {})
    if marked is not None:
        return marked
    raise RefusedError(
        f"{commit[:7]} was not proved on {environment}",
        where=WORKFLOW,
        why="; ".join(dict.fromkeys(doubts)) or f"no run of the {environment} workflow on {main} proved this commit",
        next_step="see its runs of *Deploy to Staging*; re-run the failed one, or wait for the one under way, then dispatch again",
    )


def _looked_at(github: GitHub, environment: str, commit: str, main: str) -> Iterator[tuple[Proof | None, str]]:
    """Each artifact of the name that a run on the default branch can have made: the proof, or why it is none."""
    path = f"/repos/{github.name}/actions/artifacts?name={artifact_name(environment, commit)}&per_page=100"
    own: list[Mapping[str, Any]] = []
    elsewhere = ""
    for page in range(1, MOST_PAGES + 1):
        listed = github.json("GET", f"{path}&page={page}")["artifacts"]
        for each in listed:
            run = each.get("workflow_run") or {}
            if _of_main(run, main):
                own.append(each)
            else:
                elsewhere = str(run.get("head_branch") or "a branch that is gone")
        if len(listed) < 100 or len(own) >= MOST:
            break
    if elsewhere and not own:
        yield None, f"an artifact of that name exists, made on {elsewhere}, and not by this repository's {main}"
    for each in sorted(own, key=lambda each: int(each["id"]), reverse=True)[:MOST]:
        yield _believed(github, each, environment, commit, main)


def _of_main(run: Mapping[str, Any], main: str) -> bool:
    return run.get("head_branch") == main and run.get("head_repository_id") == run.get("repository_id")


def _believed(
    github: GitHub, artifact: Mapping[str, Any], environment: str, commit: str, main: str
) -> tuple[Proof | None, str]:
    """The proof in an artifact when its run bears it out; else why not."""
    number = artifact["workflow_run"]["id"]
    run = github.find_json(f"/repos/{github.name}/actions/runs/{number}")
    if run is None:
        return None, f"the run {number} is gone"
    where = str(run["html_url"])
    if run["path"].partition("@")[0] != WORKFLOW or run["event"] not in EVENTS or run["head_branch"] != main:
        return None, f"{where} is no run of {WORKFLOW} on {main}"
    if artifact.get("expired"):
        return None, f"the artifact of {where} has expired"
    proof, doubt = _content(github, artifact, where)
    if proof is None:
        return None, doubt
    if (proof.environment, proof.commit, proof.run) != (environment, commit, str(number)):
        return None, f"{where} proved {proof.commit[:7]} on {proof.environment}"
    if not _started_for(run, commit):
        return None, f"{where} was not started for {commit[:7]}"
    attempt = f"/repos/{github.name}/actions/runs/{number}/attempts/{proof.attempt}"
    conclusion = (github.find_json(attempt) or {}).get("conclusion")
    if conclusion != "success":
        return None, f"{where} (attempt {proof.attempt}) {f'ended as {conclusion}' if conclusion else 'has not ended'}"
    jobs = github.json("GET", f"{attempt}/jobs?per_page=100")["jobs"]
    if not any(_made_by(job, artifact) for job in jobs):
        return None, f"the artifact of {where} was not made by its job {JOB!r}"
    return proof, ""


def _started_for(run: Mapping[str, Any], commit: str) -> bool:
    """Of a maintenance line the run stands at the default branch's own commit; the workflow's `run-name` names the line's."""
    return commit == run["head_sha"] if run["event"] == "push" else commit in str(run["display_title"]).split()


def _made_by(job: Mapping[str, Any], artifact: Mapping[str, Any]) -> bool:
    """Whether the job that proves was at work when an artifact was made. No other job is, at that time."""
    if job["name"] != JOB or job["conclusion"] != "success":
        return False
    made = datetime.fromisoformat(artifact["created_at"])
    return datetime.fromisoformat(job["started_at"]) <= made <= datetime.fromisoformat(job["completed_at"])


def _content(github: GitHub, artifact: Mapping[str, Any], where: str) -> tuple[Proof | None, str]:
    try:
        packed = github.download(f"/repos/{github.name}/actions/artifacts/{artifact['id']}/zip", most=LARGEST)
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            raw = json.loads(archive.read(FILE)[:LARGEST])
        fields = {name: raw[name] for name in ("environment", "commit", "definition", "artifacts", "run", "attempt")}
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile, ShipmateError) as error:
        return None, f"the proof of {where} cannot be read: {error}"
    if raw.get("format") != FORMAT:
        return None, f"the proof of {where} has the form {raw.get('format')}"
    artifacts = fields.pop("artifacts")
    texts = [*fields.values(), *artifacts.values()] if isinstance(artifacts, dict) else [None]
    if not all(isinstance(text, str) for text in texts) or not str(fields["attempt"]).isdecimal():
        return None, f"the proof of {where} is not as the suite writes it"
    return Proof(**fields, artifacts=artifacts), ""


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
