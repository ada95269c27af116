"""What the proving environment proved, bound to what only its run can make.

A proof is an artifact of the proving run's own attempt. Whoever may push can write records, statuses and check runs, and can upload an
artifact of any name from a branch; nobody can make a run of the proving workflow on the default branch say what it did not do. So an
artifact is believed only when its run is that workflow, on the default branch, started by an event that no branch's file can fake, and
the attempt that wrote it succeeded. What was once proved is also sealed in the provider's mark, which counts when the run is gone.
Source: docs.github.com/rest/actions/artifacts, …/workflow-runs
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import RefusedError, ShipmateError

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.roles import Live

WORKFLOW = ".github/workflows/deploy-staging.yml"
EVENTS = ("push", "workflow_run", "workflow_dispatch")
FILE = "proof.json"
FORMAT = 1
MOST = 10
"""Artifacts of one name that are looked into: more than one is rare."""
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
    name = artifact_name(environment, commit)
    listed = github.json("GET", f"/repos/{github.name}/actions/artifacts?name={name}&per_page=100")["artifacts"]
    own = [each for each in listed if _of_main(each.get("workflow_run") or {}, main)]
    if listed and not own:
        yield None, f"an artifact of that name exists, made on {listed[0]['workflow_run']['head_branch']}"
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
    if run["event"] == "push" and run["head_sha"] != commit:
        return None, f"{where} is a run of {run['head_sha'][:7]}"
    attempt = github.find_json(f"/repos/{github.name}/actions/runs/{number}/attempts/{proof.attempt}")
    conclusion = (attempt or {}).get("conclusion")
    if conclusion != "success":
        return None, f"{where} (attempt {proof.attempt}) {f'ended as {conclusion}' if conclusion else 'has not ended'}"
    return proof, ""


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
    return Proof(**fields), ""


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
