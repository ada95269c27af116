"""Whether each check that a merge queue waits for runs there. One that does not blocks the queue for ever, and nothing says why.

Source: docs.github.com "Managing a merge queue": a required check must run on `merge_group`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import yaml

from pipelines.findings import Finding

if TYPE_CHECKING:
    from pipelines.github import GitHub

WORKFLOWS = ".github/workflows"
EVENT = "merge_group"


def look(github: GitHub, branch: str) -> Iterator[Finding]:
    """One finding for each required check, none where the branch has no queue. Raises what GitHub's calls raise."""
    active = github.json("GET", f"/repos/{github.name}/rules/branches/{quote(branch, safe='')}?per_page=100")
    if not any(rule["type"] == "merge_queue" for rule in active):
        return
    required = dict.fromkeys(
        check["context"]
        for rule in active
        if rule["type"] == "required_status_checks"
        for check in rule["parameters"]["required_status_checks"]
    )
    files = dict(_workflows(github, branch))
    for check in required:
        yield reported(check, files, branch)


def reported(check: str, files: Mapping[str, Mapping[Any, Any]], branch: str) -> Finding:
    """Of one required check. `files`: path -> document of each workflow."""
    subject = f"merge queue of {branch}, check {check}"
    reporting = [path for path, workflow in files.items() if check in _checks(workflow)]
    if not reporting:
        says = "no workflow here has a job of that name: what reports it must do so for the queue's branches, too"
        return Finding(subject=subject, state="unknown", says=says)
    if any(EVENT in _events(files[path]) for path in reporting):
        return Finding(subject=subject, state="ok", says=f"runs on {EVENT}")
    says = f"{', '.join(reporting)} does not run on {EVENT}: the queue waits for it for ever"
    return Finding(subject=subject, state="missing", says=says, fix=f"add `{EVENT}:` below `on:` in {reporting[0]}")


def _workflows(github: GitHub, branch: str) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """(path, document) of every workflow at the head of a branch that can be read."""
    ref = quote(branch, safe="")
    for entry in github.find_json(f"/repos/{github.name}/contents/{WORKFLOWS}?ref={ref}") or ():
        if not str(entry["name"]).endswith((".yml", ".yaml")):
            continue
        raw = github.json("GET", f"/repos/{github.name}/contents/{quote(entry['path'])}?ref={ref}")
        try:
            document = yaml.safe_load(base64.b64decode(raw["content"]))
        except yaml.YAMLError:
            continue  # GitHub does not run it either
        if isinstance(document, dict):
            yield str(entry["path"]), document


def _events(workflow: Mapping[Any, Any]) -> set[str]:
    """Names of the events it runs on. YAML 1.1 reads the key `on` as true."""
    given = workflow.get("on", workflow.get(True))
    return {given} if isinstance(given, str) else {str(each) for each in given or ()}


def _checks(workflow: Mapping[Any, Any]) -> set[str]:
    """What its jobs are called in checks: their name, else their id. A name with an expression is not known before it runs."""
    jobs = workflow.get("jobs")
    return {
        str(job.get("name") or key)
        for key, job in (jobs if isinstance(jobs, dict) else {}).items()
        if isinstance(job, dict)
    }
