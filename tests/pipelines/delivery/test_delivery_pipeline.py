"""The way of a release as pipeline.py declares it, held against the workflows that walk it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.delivery import pipeline
from pipelines.delivery.pipeline import PRODUCTION, ROLLBACK, STAGING
from pipelines.delivery.plan import steps_of
from pipelines.delivery.steps import base
from pipelines.delivery.steps.base import Facts, Step
from pipelines.manifest import load
from pipelines.steps import Job

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".github" / "workflows"
WAYS = {"deploy-production.yml": PRODUCTION, "deploy-staging.yml": STAGING, "rollback.yml": ROLLBACK}
ACTIONS = {
    "deploy": "deploy_component",
    "go-live": "go_live",
    "prove": "mark_stable",
    "release": "publish_release",
    "rollback": "rollback",
    "roll-back": "rollback",
}
"""Job -> the action that carries out its steps."""
OF_THE_RELEASE = ("build_component", "run_e2e", "run_check")
"""Actions that run code of the release."""
MANIFEST = load(ROOT / "shipmate.yml")


def workflow(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return found


def jobs(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = workflow(name)["jobs"]
    return found


def calls(job: Mapping[str, Any], action: str) -> list[dict[str, Any]]:
    return [step for step in job["steps"] if step.get("uses") == f"./actions/{action}"]


DECLARED = [(name, job) for name, way in WAYS.items() for job in way]
declared = pytest.mark.parametrize(("name", "job"), DECLARED, ids=[f"{name}/{job.key}" for name, job in DECLARED])
deploying = pytest.mark.parametrize("name", ["deploy-production.yml", "deploy-staging.yml"])
every = pytest.mark.parametrize("name", sorted(WAYS))


@declared
def test_every_job_that_is_declared_is_one_of_its_workflow(name: str, job: Job) -> None:
    assert jobs(name)[job.key]["name"] == job.title.replace("{component}", "${{ matrix.component }}")


@declared
def test_a_job_carries_out_its_steps_by_its_action(name: str, job: Job) -> None:
    assert len(calls(jobs(name)[job.key], ACTIONS[job.key])) == 1


@every
def test_no_other_job_carries_out_steps(name: str) -> None:
    """Roll back in production is the way back of the run itself: it goes to the base of the plan."""
    declared_ones = {job.key for job in WAYS[name]} | ({"roll-back"} if name == "deploy-production.yml" else set())
    acting = {key for key, job in jobs(name).items() for action in ACTIONS.values() if calls(job, action)}
    assert acting == declared_ones


@declared
def test_a_leg_for_each_component_of_the_plan_and_none_ends_another(name: str, job: Job) -> None:
    given = jobs(name)[job.key]
    if not job.per_component:
        assert "strategy" not in given
        return
    assert given["strategy"] == {
        "fail-fast": False,
        "matrix": {"component": "${{ fromJSON(needs.plan.outputs.components) }}"},
    }
    assert "concurrency" not in given, "legs of one group would evict each other"
    (call,) = calls(given, ACTIONS[job.key])
    assert call["with"]["component"] == "${{ matrix.component }}"


@declared
def test_the_jobs_follow_each_other_as_declared(name: str, job: Job) -> None:
    way = WAYS[name]
    before = [other.key for other in way[: way.index(job)]]
    needs = jobs(name)[job.key].get("needs", [])
    assert before[-1:] == [key for key in ([needs] if isinstance(needs, str) else needs) if key in before][-1:]


def test_what_moves_users_waits_its_turn_and_none_is_dropped() -> None:
    held = jobs("deploy-production.yml")["go-live"]["concurrency"]
    assert held == {"group": "production-go-live", "cancel-in-progress": False, "queue": "max"}
    assert workflow("deploy-staging.yml")["concurrency"] == {
        "group": "deploy-staging",
        "cancel-in-progress": False,
        "queue": "max",
    }
    others = [key for key, job in jobs("deploy-production.yml").items() if "concurrency" in job]
    assert others == ["go-live"]
    assert "concurrency" not in workflow("deploy-production.yml"), "it would be taken while someone is asked"
    assert "concurrency" not in (workflow("rollback.yml") | jobs("rollback.yml")["rollback"]), "a way back never waits"


def test_all_that_moves_users_is_one_job() -> None:
    """What undoes it makes all of it run again."""
    (moving,) = [job for job in PRODUCTION if any(step.name in ("shift", "mark-stable") for step in job.steps)]
    assert [step.name for step in moving.steps] == ["lock", "compare", "shift", "smoke", "mark-stable"]


def test_production_takes_the_plan_that_was_approved() -> None:
    for key in ("deploy", "go-live", "release", "roll-back"):
        job = jobs("deploy-production.yml")[key]
        given = [step["with"] for step in job["steps"] if "plan" in step.get("with", {})]
        assert given, key
        assert {step["plan"] for step in given} == {"${{ needs.approval.outputs.plan }}"}, key
        assert {"plan", "approval"} <= set(job["needs"])
        assert [step["with"] for step in job["steps"] if step["name"] == "Get the plan"] == [
            {"name": "plan", "path": "build/delivery"}
        ], "the document comes from the plan job of this run"


def test_an_approval_that_is_too_old_stops_what_comes_before_the_first_shift_only() -> None:
    for key, job in jobs("deploy-production.yml").items():
        given = {name for step in job["steps"] for name in step.get("with", {}) if name == "approved_until"}
        assert bool(given) == (key in ("deploy", "go-live")), key


def checkouts(job: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (step["with"] for step in job["steps"] if str(step.get("uses", "")).startswith("actions/checkout@"))


@every
def test_the_suite_is_the_default_branchs_and_the_release_is_data_beside_it(name: str) -> None:
    for key, job in jobs(name).items():
        found = list(checkouts(job))
        assert found, key
        assert not {"ref", "repository", "path"} & set(found[0]), f"{key} runs the suite of something else"
        for other in found[1:]:
            assert other["path"] == "source", key
        named = re.search(r"commit|head_sha", str(job["steps"]))
        assert len(found) <= 2
        assert len(found) == 1 or named


def test_what_the_job_of_code_of_the_release_could_take() -> None:
    """Nothing: no environment, no identity, no secret, no token that writes; where previews are protected, sight of them."""
    found = [
        (name, key, job)
        for name in sorted(file.name for file in FOLDER.glob("*.yml"))
        for key, job in jobs(name).items()
        if any(calls(job, action) for action in OF_THE_RELEASE)
    ]
    assert {"build", "e2e", "check-candidate", "check-live"} <= {key for _, key, _ in found}
    for name, key, job in found:
        sees_previews = key == "check-candidate"
        assert ("environment" in job) == sees_previews, f"{name}/{key}"
        assert job["permissions"] == {"contents": "read"}, f"{name}/{key}"
        assert re.findall(r"secrets\W*(\w*)", str(job)) == ["VERCEL_BYPASS"] * sees_previews, f"{name}/{key}"
        assert "github.token" not in str(job), f"{name}/{key}"


@every
def test_no_job_with_a_secret_runs_anything_but_our_actions(name: str) -> None:
    for key, job in jobs(name).items():
        if "environment" in job:
            assert not [step["name"] for step in job["steps"] if "run" in step], key
            assert not [action for action in OF_THE_RELEASE if calls(job, action)] or key == "check-candidate", key


@every
def test_every_job_with_a_secret_has_the_environment_of_the_manifest(name: str) -> None:
    """Secrets are the environments': a job of another branch has none of them."""
    known = {
        named
        for key, environment in MANIFEST.environments.items()
        for named in (
            environment.github_environment or key,
            environment.approval.environment if environment.approval else "",
            environment.approval.break_glass_environment if environment.approval else "",
        )
        if named
    }
    for key, job in jobs(name).items():
        used = environments(job)
        assert bool(used) or "secrets." not in str(job), key
        assert used <= known, key


def environments(job: Mapping[str, Any]) -> set[str]:
    """Every name the environment of a job can have."""
    given = job.get("environment") or {}
    text = str(given.get("name", "") if isinstance(given, dict) else given)
    if "${{" not in text:
        return {text} if text else set()
    # The names that stand in the expression; an input of the same name as its environment is one of the choices.
    chosen = set(re.findall(r"(?:&&|\|\|) '([\w-]+)'", text))
    return chosen | ({"staging"} if "|| inputs.environment" in text else set())


def test_production_deploys_where_nobody_is_asked_and_asks_where_nothing_is_deployed() -> None:
    settings = MANIFEST.environments["production"]
    assert settings.approval is not None
    asking = {settings.approval.environment, settings.approval.break_glass_environment}
    for key, job in jobs("deploy-production.yml").items():
        if key == "check-live":  # code of the release
            continue
        assert environments(job) == (asking if key == "approval" else {settings.github_environment}), key


@deploying
def test_one_job_is_the_deployment_of_its_run(name: str) -> None:
    """GitHub shows a deployment for each job with an environment; the others say that they are none."""
    shown = [
        key
        for key, job in jobs(name).items()
        if "environment" in job and job["environment"].get("deployment") is not False
    ]
    assert shown == ["go-live"]
    assert jobs(name)["go-live"]["environment"]["url"] == "${{ needs.plan.outputs.url }}"


@deploying
def test_the_results_of_legs_are_kept_apart(name: str) -> None:
    """Outputs of legs overwrite each other; artifacts of one name are refused."""
    for key, job in jobs(name).items():
        kept = [step["with"] for step in job["steps"] if "upload-artifact" in str(step.get("uses", ""))]
        if "strategy" in job:
            assert "outputs" not in job, key
            assert kept, key
            assert all("${{ matrix.component }}" in each["name"] for each in kept), key


def test_a_pusher_takes_only_what_its_own_component_built() -> None:
    (got,) = [
        step["with"] for step in jobs("deploy-staging.yml")["deploy"]["steps"] if step["name"] == "Get what was built"
    ]
    assert got == {
        "name": "build-${{ matrix.component }}",
        "path": "build/delivery/layouts/${{ matrix.component }}",
    }


def test_the_proof_is_an_artifact_of_the_proving_job() -> None:
    *_, kept = jobs("deploy-staging.yml")["prove"]["steps"]
    assert kept["with"]["name"] == "${{ steps.prove.outputs.name }}"
    assert kept["with"]["path"] == "${{ steps.prove.outputs.proof }}"
    assert jobs("deploy-staging.yml")["prove"]["needs"] == ["plan", "go-live", "e2e"]


# the declaration itself -------------------------------------------------------------------------------------------------


def kinds(way: Sequence[Job]) -> list[type[Step]]:
    return [kind for job in way for kind in job.steps]


def test_no_step_is_left_that_nobody_walks() -> None:
    """Every file of steps/ has a step of some way; planned steps without an executor do not exist by their types."""
    walked = {kind.__module__.rpartition(".")[2] for way in WAYS.values() for kind in kinds(way)}
    folder = Path(base.__file__).parent
    assert walked == {file.stem for file in folder.glob("*.py")} - {"__init__", "base"}
    names = [kind.name for way in WAYS.values() for kind in set(kinds(way))]
    assert len({kind for way in WAYS.values() for kind in kinds(way)}) == len(set(names))


def test_it_stands_on_one_screen() -> None:
    assert len(Path(pipeline.__file__).read_text().splitlines()) < 100


def test_steps_are_in_the_order_of_jobs_legs_and_kinds() -> None:
    facts = [Facts(environment="e", component=name, release="v1", digest="sha256:x", checks=1) for name in ("b", "a")]
    found = [(job.key, step.component, step.name) for job, step in steps_of(STAGING, facts)]
    assert found == [
        ("deploy", "b", "stage"),
        ("deploy", "b", "verify"),
        ("deploy", "a", "stage"),
        ("deploy", "a", "verify"),
        ("go-live", "b", "lock"),
        ("go-live", "a", "lock"),
        ("go-live", "b", "shift"),
        ("go-live", "a", "shift"),
        ("go-live", "e", "smoke"),
        ("prove", "b", "lock"),
        ("prove", "a", "lock"),
        ("prove", "b", "mark-stable"),
        ("prove", "a", "mark-stable"),
    ]


def test_steps_of_a_rollback_are_not_planned_from_facts() -> None:
    """rollback.py chooses one release for all components: asked for here, they are a mistake and not left out in silence."""
    facts = [Facts(environment="production", component="shop", release="v1.0.0")]
    with pytest.raises(TypeError, match="mark-failed is no step of a delivery"):
        steps_of(ROLLBACK, facts)
