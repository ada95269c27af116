"""Rules of form that every workflow keeps, beyond what the linters know. A new file in .github/workflows is covered by being there."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.manifest import load
from tests.workflows.workflow_files import (
    FILES,
    FOLDER,
    ROOT,
    jobs,
    read,
    steps,
    triggers,
)

every = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def test_there_are_workflows() -> None:
    assert FOLDER / "ci.yml" in FILES


WAITING = {("mobile-release.yml", "deliver"): 150}
"""Minutes of jobs that wait for a queue of others: 90 for a build at EAS, 45 for Apple."""


@every
def test_every_job_ends_by_itself(file: Path) -> None:
    for name, job in jobs(file).items():
        if "uses" not in job and "matrix." not in str(job["timeout-minutes"]):
            assert 1 <= job["timeout-minutes"] <= WAITING.get((file.name, name), 60), name
    assert all(1 <= check.timeout_minutes <= 60 for check in load(ROOT / "shipmate.yml").ci.checks.values())


LIVE_JOBS = {
    "deploy-production.yml": {"go-live"},
    "deploy-staging.yml": {"go-live"},
    "mobile-promote.yml": {"promote", "watch"},
}
"""Jobs that make something live: GitHub shows a deployment for each job with an environment that does not say otherwise."""


@every
def test_only_a_job_that_makes_something_live_is_shown_as_a_deployment(file: Path) -> None:
    shown = {
        name
        for name, job in jobs(file).items()
        if (at := job.get("environment")) and (isinstance(at, str) or at.get("deployment", True))
    }
    assert shown == LIVE_JOBS.get(file.name, set())


@every
def test_jobs_and_steps_have_names(file: Path) -> None:
    assert read(file)["name"]
    for name, job in jobs(file).items():
        assert job.get("name"), name
    for name, step in steps(file):
        assert step.get("name"), f"{name}: {step}"


@every
def test_scripts_are_rare_and_short(file: Path) -> None:
    """Logic in YAML cannot be tested: a step is a call of an action."""
    for name, step in steps(file):
        assert len(str(step.get("run", "")).splitlines()) <= 3, f"{name}: {step['name']}"


FOR_PEOPLE = ("Keep screenshots and traces", "Keep the report", "Keep what was measured")


@every
def test_what_is_kept_for_people_is_linked_in_the_summary(file: Path) -> None:
    """Whatever came of the job: what failed is looked at first."""
    for name, job in jobs(file).items():
        listed = job.get("steps", [])
        for kept, link in pairwise(listed):
            if kept["name"] in FOR_PEOPLE:
                assert (link.get("uses"), link.get("if")) == ("./actions/link_artifact", "${{ !cancelled() }}"), name
                assert link["with"]["url"] == f"${{{{ steps.{kept['id']}.outputs.artifact-url }}}}", name
        assert not listed or listed[-1]["name"] not in FOR_PEOPLE, name


@every
def test_our_actions_come_after_a_checkout(file: Path) -> None:
    for name, job in jobs(file).items():
        checked_out = False
        for step in job.get("steps", []):
            used = str(step.get("uses", ""))
            checked_out |= used.startswith("actions/checkout@")
            assert checked_out or not used.startswith("./"), f"{name}: {used}"


@every
def test_what_may_be_required_is_never_filtered_out_by_paths(file: Path) -> None:
    """A workflow that is filtered out never reports, and the required check would wait for ever."""
    for event in ("pull_request", "push"):
        assert not {"paths", "paths-ignore"} & set(triggers(file).get(event) or {})


def asks(job: dict[str, Any]) -> bool:
    """Whether someone is asked before a job begins, or by it."""
    return any(step.get("uses") == "./actions/approval_gate" for step in job.get("steps", []))


@every
def test_the_lock_of_a_deployment_drops_nobody_and_ends_nothing(file: Path) -> None:
    """On a workflow it would be taken while someone is asked; without `queue: max` a third run would evict a second that waits."""
    if not any("environment" in job for job in jobs(file).values()):
        return
    held = [read(file).get("concurrency"), *(job.get("concurrency") for job in jobs(file).values())]
    assert not held[0] or not any(asks(job) for job in jobs(file).values()), file.name
    for group in filter(None, held):
        assert isinstance(group, dict), group
        assert (group.get("queue"), bool(group.get("cancel-in-progress"))) == ("max", False), group


@every
def test_inputs_of_our_actions_exist(file: Path) -> None:
    for name, step in steps(file):
        used = str(step.get("uses", ""))
        if used.startswith("./actions/"):
            declared = yaml.safe_load((ROOT / used / "action.yml").read_text()).get("inputs") or {}
            given = step.get("with") or {}
            assert set(given) <= set(declared), f"{name}: {used}"
            missing = {key for key, one in declared.items() if one.get("required")} - set(given)
            assert not missing, f"{name}: {used} needs {missing}"
