"""The way of a release of the apps as pipeline.py declares it, held against the workflow that walks it, and what each of its jobs holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.manifest import load
from pipelines.mobile import pipeline
from pipelines.mobile.pipeline import RELEASE, steps_of
from pipelines.mobile.steps import base
from pipelines.steps import Job
from tests.pipelines.mobile.releasing import JOBS, ROOT, WORKFLOW

ACTIONS = {"verify": "verify_apps", "build": "start_builds", "deliver": "deliver_app", "release": "release_apps"}
"""Job -> the action that carries out its steps."""
NEEDS = {
    "verify": [],
    "build": ["verify"],
    "deliver": ["verify", "build"],
    "build-again": ["verify", "deliver"],
    "release": ["verify", "deliver"],
    "notify": ["verify", "build", "deliver", "build-again", "release"],
}
PERMISSIONS = {
    "verify": {
        "contents": "write", "checks": "read", "actions": "read", "pull-requests": "read", "deployments": "write", "id-token": "write",
    },
    "build": {"contents": "read"},
    "deliver": {"contents": "read", "deployments": "write", "id-token": "write"},
    "build-again": {"contents": "read", "actions": "write"},
    "release": {"contents": "write", "deployments": "write", "pull-requests": "read", "checks": "read", "actions": "read"},
    "notify": {"contents": "read"},
}  # fmt: skip
SECRETS = {
    "verify": {"EXPO_TOKEN", "APP_STORE_KEY"},
    "build": {"EXPO_TOKEN"},
    "deliver": {"EXPO_TOKEN", "APP_STORE_KEY"},
    "build-again": set(),
    "release": set(),
    "notify": {"SLACK_WEBHOOK", "SMTP_USER", "SMTP_PASSWORD"},
}
declared = pytest.mark.parametrize("job", RELEASE, ids=lambda job: str(job.key))
every = pytest.mark.parametrize("key", JOBS)
MANIFEST = load(ROOT / "shipmate.yml")


def uses(job: Mapping[str, Any], action: str) -> list[dict[str, Any]]:
    return [step.get("with", {}) for step in job["steps"] if step["uses"].partition("@")[0] == action]


def needs(key: str) -> list[str]:
    found = JOBS[key].get("needs", [])
    return [found] if isinstance(found, str) else found


@declared
def test_every_job_that_is_declared_is_one_of_the_workflow(job: Job) -> None:
    assert JOBS[job.key]["name"] == job.title.replace("{component}", "${{ matrix.platform }}")
    assert len(uses(JOBS[job.key], f"./actions/{ACTIONS[job.key]}")) == 1
    assert job.per_component == ("strategy" in JOBS[job.key])


def test_no_other_job_carries_out_steps_and_they_follow_each_other_as_declared() -> None:
    acting = [key for key, job in JOBS.items() if any(uses(job, f"./actions/{action}") for action in ACTIONS.values())]
    assert acting == [job.key for job in RELEASE]
    assert {key: needs(key) for key in JOBS} == NEEDS


def test_a_leg_for_each_platform_and_none_ends_another() -> None:
    assert JOBS["deliver"]["strategy"] == {
        "fail-fast": False,
        "matrix": {"platform": "${{ fromJSON(needs.verify.outputs.platforms) }}"},
    }
    assert "outputs" not in JOBS["deliver"], "outputs of legs overwrite each other"
    (kept,) = uses(JOBS["deliver"], "actions/upload-artifact")
    assert kept["name"] == "delivered-${{ matrix.platform }}"


def test_releases_wait_for_each_other_and_none_is_dropped() -> None:
    assert WORKFLOW["concurrency"] == {"group": "mobile-release", "cancel-in-progress": False, "queue": "max"}
    assert not [key for key, job in JOBS.items() if "concurrency" in job]


def test_it_begins_by_a_tag_of_the_component_alone() -> None:
    assert MANIFEST.mobile is not None
    tags = MANIFEST.release.components[MANIFEST.mobile.component].tag_format.replace("{version}", "*")
    on = WORKFLOW[True]  # YAML 1.1 reads the key `on` as true
    assert on["push"] == {"tags": [tags]} and set(on) == {"push", "workflow_dispatch"}
    assert set(on["workflow_dispatch"]["inputs"]) == {"above"}
    assert JOBS["verify"]["if"] == "github.ref_type == 'tag'", (
        "a dispatch at a branch has no environment that admits it"
    )


@every
def test_every_job_holds_what_it_needs_and_no_more(key: str) -> None:
    job = JOBS[key]
    assert job["permissions"] == PERMISSIONS[key]
    assert set(re.findall(r"secrets\.(\w+)", str(job))) == SECRETS[key]
    stores = {"EXPO_TOKEN"} != SECRETS[key] and bool(SECRETS[key])
    name = "mobile-stores" if stores else "mobile-build" if SECRETS[key] else None
    assert (job.get("environment") or {}).get("name") == name
    assert "environment" not in job or job["environment"]["deployment"] is False
    assert WORKFLOW["permissions"] == {}


def test_the_environments_are_those_of_the_manifest() -> None:
    mobile = MANIFEST.mobile
    assert mobile is not None and mobile.android is not None and mobile.ios is not None
    assert (mobile.eas.environment, mobile.android.environment, mobile.ios.environment) == (
        "mobile-build",
        "mobile-stores",
        "mobile-stores",
    )


@every
def test_the_suite_is_the_default_branchs_and_the_app_is_beside_it_where_it_is_looked_at(key: str) -> None:
    suite, *others = uses(JOBS[key], "actions/checkout")
    assert suite == {"persist-credentials": False, "ref": "${{ github.event.repository.default_branch }}"}
    assert bool(others) == (key in ("verify", "build", "release")), "the stores' job has nothing of the app"
    for other in others:
        assert (other["path"], other["ref"], other["persist-credentials"]) == ("source", "${{ github.sha }}", False)
        assert other.get("fetch-depth", 1) == (1 if key == "build" else 0)
    assert not [step for step in JOBS[key]["steps"] if "run" in step], "what runs is our actions"


@every
def test_the_app_is_installed_only_where_it_is_built(key: str) -> None:
    (given,) = uses(JOBS[key], "./actions/setup")
    assert given.get("app", "") == ("source/apps/mobile" if key == "build" else "")
    assert "node" not in given
    assert (given.get("eas") == "true") == (key in ("verify", "build", "deliver"))
    assert MANIFEST.mobile is not None and MANIFEST.mobile.app == "apps/mobile"


def test_the_job_that_runs_code_of_the_app_is_given_no_token_but_expos() -> None:
    (given,) = uses(JOBS["build"], "./actions/start_builds")
    assert given == {"plan": "${{ needs.verify.outputs.plan }}", "expo_token": "${{ secrets.EXPO_TOKEN }}"}
    assert "github.token" not in str(JOBS["build"])


@every
def test_every_job_after_the_first_goes_by_what_that_one_verified(key: str) -> None:
    if key == "verify":
        return
    plans = [given["plan"] for step in JOBS[key]["steps"] if "plan" in (given := step.get("with", {}))]
    assert plans == ["${{ needs.verify.outputs.plan }}"]
    assert {"name": "release", "path": "build/mobile"} in uses(JOBS[key], "actions/download-artifact")


# the declaration itself -------------------------------------------------------------------------------------------------


def test_no_step_is_left_that_nobody_walks() -> None:
    walked = {kind.__module__.rpartition(".")[2] for job in RELEASE for kind in job.steps}
    assert walked == {file.stem for file in Path(base.__file__).parent.glob("*.py")} - {"__init__", "base"}
    names = [kind.name for job in RELEASE for kind in job.steps]
    assert len(names) == len(set(names))
    assert len(Path(pipeline.__file__).read_text().splitlines()) < 100


def test_steps_are_in_the_order_of_platforms() -> None:
    def of(key: str, *platforms: Any) -> list[tuple[str, str]]:
        return [(step.component, step.name) for step in steps_of(key, platforms)]

    assert of("verify", "android", "ios") == [("apps", "verify"), ("android", "reserve"), ("ios", "reserve")]
    assert of("build", "android", "ios") == [("apps", "start")]
    assert of("deliver", "ios") == [("ios", "fetch"), ("ios", "deliver")]
    assert of("release", "android", "ios") == [("apps", "publish")]
