"""Decide from what changed, and from where each check last passed, which checks run, and say why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from actions.delivery import github
from pipelines.ci import baseline, changes, legs
from pipelines.ci.affected import Affected, Changes, affected
from pipelines.ci.matrix import Below, Planned, Since, plan
from pipelines.ci.needs import LEFT_OUT, SKIPPED
from pipelines.ci.rehearsing import is_rehearsal
from pipelines.ci.tables import code, table
from pipelines.manifest import Manifest, load
from pipelines.runtime import Input, Output, Runtime

INPUTS = (
    Input(name="manifest", doc="The manifest, from the root of the workspace.", default="shipmate.yml"),
    Input(
        name="token",
        doc="A token; it needs contents, actions and pull-requests read, to see what passed before.",
        required=True,
        secret=True,
    ),
)
OUTPUTS = (
    Output(name="plan", doc="JSON of every check with its title, whether it runs, and why."),
    Output(name="legs", doc="JSON of the jobs that are to run, for `strategy.matrix.include`; [] when there are none."),
)


def main(runtime: Runtime) -> int:
    values = runtime.inputs(INPUTS)
    root = Path.cwd()
    manifest = load(Path(values["manifest"]))
    own = changes.of_event(root, runtime.environ.get("GITHUB_EVENT_NAME", ""), runtime.event)
    runtime.say(_compared(own))
    brought = affected(manifest, own) if own is not None else None
    below = _below(runtime, root, manifest, brought, values["token"])
    planned = plan(manifest, brought, below, rehearsal=is_rehearsal(runtime.environ))
    for one in planned:
        runtime.say(f"{'run ' if one.runs else 'skip'}  {one.check:<16} {one.why}")
    runtime.output("plan", json.dumps([_told(manifest, one) for one in planned]))
    runtime.output("legs", json.dumps(legs.matrix(manifest, planned)))
    runtime.summary(_summary(planned, own))
    return 0


def _below(runtime: Runtime, root: Path, manifest: Manifest, own: Affected | None, token: str) -> Below:
    """What is known below the change; nothing is asked where everything runs in any case."""
    if own is not None and own.everything:
        return Below(since={}, unknown=own.everything)
    try:
        place = _place(runtime, root)
    except changes.GitSaidNo as error:
        return Below(since={}, unknown=f"git cannot say what came before: {error}")
    found = baseline.find(github(runtime, token), root, manifest, place)
    compared = {
        commit: affected(manifest, changes.between(root, commit))
        for commit in {p.commit for p in found.passed.values()}
    }
    head = runtime.environ.get("GITHUB_SHA", "")
    since = {
        check: Since(commit=p.commit, url=p.url, affected=compared[p.commit], same=p.commit == head)
        for check, p in found.passed.items()
    }
    return Below(since=since, unknown=found.unknown, base="" if own is None else place.branch)


def _place(runtime: Runtime, root: Path) -> baseline.Place:
    """Raises GitSaidNo."""
    event = runtime.event
    default = str((event.get("repository") or {}).get("default_branch") or "")
    pull, group = event.get("pull_request") or {}, event.get("merge_group") or {}
    if not pull and not group:
        branch = str(event.get("ref") or "").removeprefix("refs/heads/")
        tip, before = runtime.environ["GITHUB_SHA"], str(event.get("before") or "")
        before = before if before.strip("0") else changes.first_parent(root, tip)
        return baseline.Place(tip=tip, before=before, branch=branch, default_branch=default)
    tip = str(pull["base"]["sha"] if pull else group["base_sha"])
    branch = str(pull["base"].get("ref") or "" if pull else group.get("base_ref") or "").removeprefix("refs/heads/")
    return baseline.Place(tip=tip, before=changes.first_parent(root, tip), branch=branch, default_branch=default)


def _told(manifest: Manifest, one: Planned) -> dict[str, Any]:
    title = manifest.ci.checks[one.check].title or one.check
    return {"check": one.check, "title": title, "runs": one.runs, "why": one.why, "left_out": one.left_out}


def _summary(planned: tuple[Planned, ...], own: Changes | None) -> str:
    rows = [(one.check, _word(one), code(one.why)) for one in planned]
    return f"### What this change must pass\n\n{_compared(own)}.\n\n{table(('check', '', 'why'), rows)}"


def _word(one: Planned) -> str:
    if one.runs:
        return "runs"
    return LEFT_OUT if one.left_out else SKIPPED


def _compared(own: Changes | None) -> str:
    if own is None:
        return "Each check is compared with the newest commit below at which it passed"
    return own.unknown or f"{len(own.paths or ())} files differ from {own.since}"
