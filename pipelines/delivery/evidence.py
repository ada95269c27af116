"""What a run of a workflow wrote down, believed only when nobody else can have written it.

Anyone who may push can write records, statuses and check runs, and can upload an artifact of any name from a branch; nobody can make a run
of a workflow on the default branch say what it did not do. So an artifact is believed only when its run is that workflow, on the default
branch and at a commit of it (the branch that a run names may be a tag, which anybody who may push can call `main`: what ran is the file of
its commit), started by an event that no branch's file can fake, and when the job that writes it uploaded it (other jobs of that run build
and test code of the release, which can upload what it likes).
Source: docs.github.com/rest/actions/artifacts, …/workflow-runs, …/workflow-jobs, …/commits (compare)
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.github import GitHub

MOST = 10
"""Artifacts of one name that are looked into: more than one is rare."""
MOST_PAGES = 20
"""Of a hundred artifacts each, no matter who made them: a branch's workflow can make many of the name."""
LARGEST = 1_000_000
"""Bytes of a document."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of document, and which job of which workflow alone writes it. The document is JSON with `format`, `run` and `attempt`."""

    name: str
    """In a sentence: "the proof"."""
    workflow: str
    events: tuple[str, ...]
    job: str
    file: str
    format: int
    passed_only: bool = True
    """Whether the attempt must have succeeded for it to say anything."""
    largest: int = 0
    """Bytes of the document, at the most; 0: LARGEST."""


Fits = Callable[[Mapping[str, Any], Mapping[str, Any]], str]
"""(document, run) -> why it is not what is looked for; empty when it is. KeyError, TypeError and ValueError: it cannot be read."""


def look(
    github: GitHub, kind: Kind, name: str, fits: Fits, *, main: str
) -> Iterator[tuple[Mapping[str, Any] | None, str]]:
    """Each artifact called `name` that a run on the default branch can have made, the newest first: the document, or why it is none."""
    path = f"/repos/{github.name}/actions/artifacts?name={name}&per_page=100"
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
    for each in sorted(own, key=lambda each: (str(each["created_at"]), int(each["id"])), reverse=True)[:MOST]:
        yield _believed(github, kind, each, fits, main)


def _of_main(run: Mapping[str, Any], main: str) -> bool:
    return run.get("head_branch") == main and run.get("head_repository_id") == run.get("repository_id")


def _believed(
    github: GitHub, kind: Kind, artifact: Mapping[str, Any], fits: Fits, main: str
) -> tuple[Mapping[str, Any] | None, str]:
    """The document in an artifact when its run bears it out; else why not."""
    number = artifact["workflow_run"]["id"]
    run = github.find_json(f"/repos/{github.name}/actions/runs/{number}")
    if run is None:
        return None, f"the run {number} is gone"
    where = str(run["html_url"])
    if run["path"].partition("@")[0] != kind.workflow or run["event"] not in kind.events or run["head_branch"] != main:
        return None, f"{where} is no run of {kind.workflow} on {main}"
    if not is_of_branch(github, str(run["head_sha"]), main):
        return None, f"{where} ran the file of {run['head_sha'][:7]}, which is not on {main}"
    if artifact.get("expired"):
        return None, f"the artifact of {where} has expired"
    document, doubt = _content(github, kind, artifact, where, lambda raw: fits(raw, run))
    if doubt:
        return None, doubt
    return _of_its_run(github, kind, artifact, document, where)


def is_of_branch(github: GitHub, commit: str, branch: str) -> bool:
    """Whether a commit was merged to a branch, and has not been taken out of it since."""
    compared = github.find_json(f"/repos/{github.name}/compare/{quote(branch, safe='')}...{commit}?per_page=1")
    return compared is not None and compared["status"] in ("behind", "identical")


def _of_its_run(
    github: GitHub, kind: Kind, artifact: Mapping[str, Any], document: Mapping[str, Any], where: str
) -> tuple[Mapping[str, Any] | None, str]:
    number = artifact["workflow_run"]["id"]
    attempt = f"/repos/{github.name}/actions/runs/{number}/attempts/{document['attempt']}"
    if kind.passed_only:
        conclusion = (github.find_json(attempt) or {}).get("conclusion")
        if conclusion != "success":
            ended = f"ended as {conclusion}" if conclusion else "has not ended"
            return None, f"{where} (attempt {document['attempt']}) {ended}"
    jobs = (github.find_json(f"{attempt}/jobs?per_page=100") or {"jobs": []})["jobs"]
    if not any(_made_by(kind, job, artifact) for job in jobs):
        return None, f"the artifact of {where} was not made by its job {kind.job!r}"
    return document, ""


def _made_by(kind: Kind, job: Mapping[str, Any], artifact: Mapping[str, Any]) -> bool:
    """Whether the job that writes it was at work when an artifact was made. No other job is, at that time."""
    if job["name"] != kind.job or not job["completed_at"] or (kind.passed_only and job["conclusion"] != "success"):
        return False
    made = datetime.fromisoformat(artifact["created_at"])
    return datetime.fromisoformat(job["started_at"]) <= made <= datetime.fromisoformat(job["completed_at"])


def _content(
    github: GitHub, kind: Kind, artifact: Mapping[str, Any], where: str, fits: Callable[[Mapping[str, Any]], str]
) -> tuple[Mapping[str, Any], str]:
    try:
        most = kind.largest or LARGEST
        packed = github.download(f"/repos/{github.name}/actions/artifacts/{artifact['id']}/zip", most=most)
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            raw = json.loads(archive.read(kind.file)[:most])
        if raw.get("format") != kind.format:
            return {}, f"{kind.name} of {where} has the form {raw.get('format')}"
        if not isinstance(raw["attempt"], str) or not raw["attempt"].isdecimal():
            return {}, f"{kind.name} of {where} is not as the suite writes it"
        if raw["run"] != str(artifact["workflow_run"]["id"]):
            return {}, f"{kind.name} of {where} names another run"
        return raw, fits(raw)
    except (AttributeError, KeyError, TypeError, ValueError, zipfile.BadZipFile, ShipmateError) as error:
        return {}, f"{kind.name} of {where} cannot be read: {error}"
