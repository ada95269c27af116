"""ci.yml: a plan, one matrix over the checks of the manifest, the report, and the required check."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from pipelines.ci import legs
from pipelines.ci.matrix import Planned
from pipelines.ci.needs import CHECKS, PLANNER
from pipelines.manifest import load
from pipelines.manifest.jobs import OTHER_JOBS
from rehearsal.runner.expressions import Scope, condition
from tests.workflows.workflow_files import (
    CI,
    ROOT,
    jobs,
    read,
    triggers,
)


def test_ci_is_a_plan_one_matrix_over_the_checks_a_report_and_the_required_check() -> None:
    assert list(jobs(CI)) == [PLANNER, CHECKS, "report", "ci"]
    assert [job["name"] for job in jobs(CI).values()] == [OTHER_JOBS[0], "${{ matrix.title }}", *OTHER_JOBS[1:]]


def test_nothing_in_ci_names_a_check_or_a_component() -> None:
    manifest = load(ROOT / "shipmate.yml")
    names = {*manifest.ci.checks, *manifest.components, *(check.title for check in manifest.ci.checks.values())}
    text = "\n".join(line.partition(" #")[0] for line in CI.read_text().splitlines() if not line.startswith("#"))
    assert not {name for name in names if re.search(rf"(?<![\w-]){re.escape(str(name))}(?![\w-])", text)}


def test_the_job_of_a_check_is_the_entry_of_the_plan() -> None:
    """Each value of an entry is used, and no other is asked for."""
    manifest = load(ROOT / "shipmate.yml")
    planned = tuple(Planned(check=name, runs=True, why="x") for name in manifest.ci.checks)
    entries = legs.matrix(manifest, planned)
    used = set(re.findall(r"matrix\.(\w+)", CI.read_text()))
    assert [used] * len(entries) == [set(entry) for entry in entries]
    job = jobs(CI)[CHECKS]
    assert job["strategy"] == {
        "fail-fast": False,
        "matrix": {"include": "${{ fromJSON(needs.plan.outputs.legs) }}"},
    }
    assert (job["needs"], job["permissions"]) == (PLANNER, {"contents": "read"})


@pytest.mark.parametrize(("entries", "starts"), [("[]", False), ('[{"name": "lint"}]', True)])
def test_an_empty_matrix_is_never_expanded(entries: str, starts: bool) -> None:
    """GitHub takes it for an error, and the run would be red though there is nothing to check."""
    scope = Scope(contexts={"needs": {PLANNER: {"outputs": {"legs": entries}}}}, status={"success": True})
    assert condition(jobs(CI)[CHECKS]["if"], scope) is starts


def test_what_a_check_came_to_is_kept_whatever_it_was_and_read_by_the_last_jobs() -> None:
    kept = jobs(CI)[CHECKS]["steps"][-1]
    assert str(kept["if"]).startswith("always() && ")
    assert kept["with"]["name"] == "result-${{ matrix.name }}"
    assert kept["with"]["overwrite"] is True
    for name in ("report", "ci"):
        got = next(step for step in jobs(CI)[name]["steps"] if "download-artifact" in str(step.get("uses")))
        assert got["with"] == {"pattern": "result-*", "path": "results", "merge-multiple": True}
        default = next(
            one.default
            for one in import_module(f"actions.{'gate' if name == 'ci' else name}_ci").INPUTS
            if one.name == "results"
        )
        assert default == got["with"]["path"]


@pytest.mark.parametrize(("name", "condition"), [("ci", "always()"), ("report", "${{ !cancelled() }}")])
def test_the_last_jobs_wait_for_all_and_see_all(name: str, condition: str) -> None:
    job = jobs(CI)[name]
    assert job["needs"] == [PLANNER, CHECKS]
    assert job["if"] == condition
    assert job["steps"][-1]["with"]["needs"] == "${{ toJSON(needs) }}"


def test_ci_runs_for_pull_requests_and_for_what_may_be_released() -> None:
    """A merge queue would wait for ever for a required check that does not run for it."""
    pushed = {"branches": ["main", "develop", "release/**"]}
    assert triggers(CI) == {"pull_request": None, "merge_group": None, "push": pushed}


@pytest.mark.parametrize("name", sorted(load(ROOT / "shipmate.yml").environments))
def test_an_environment_is_deployed_on_every_push_to_its_branch_and_without_one_on_none(name: str) -> None:
    branch = load(ROOT / "shipmate.yml").environments[name].branch
    pushed = triggers(ROOT / ".github" / "workflows" / f"deploy-{name}.yml").get("push")
    if branch is None:
        assert pushed is None
    else:
        assert branch in pushed["branches"]
        assert not set(pushed) - {"branches"}


def test_only_a_pull_requests_older_run_is_ended() -> None:
    assert read(CI)["concurrency"] == {
        "group": "ci-${{ github.event_name == 'pull_request' && github.ref || github.sha }}",
        "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
    }


def test_only_the_report_may_write() -> None:
    writers = [name for name, job in jobs(CI).items() if "write" in job["permissions"].values()]
    assert writers == ["report"]
