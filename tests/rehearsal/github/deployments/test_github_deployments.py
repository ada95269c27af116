"""Deployments as a ledger is kept in: defaults that refuse, payloads that stay, statuses that follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

DEPLOYMENTS = f"/repos/{REPOSITORY}/deployments"
PLAIN = {"auto_merge": False, "required_contexts": []}


def deploy(person: Person, **body: Any) -> Any:
    return person.post(DEPLOYMENTS, {"ref": "main", **PLAIN, **body})


def status(person: Person, deployment: Any, state: str, **body: Any) -> Any:
    return person.post(f"{DEPLOYMENTS}/{deployment['id']}/statuses", {"state": state, **body})


def test_the_payload_is_kept_word_for_word(scene: Scene, dev: Person) -> None:
    payload = {"digest": "sha256:ab", "run": 7, "nested": {"ü": [1, None]}}
    made = deploy(dev, payload=payload, task="shipmate:release", environment="production", description="v1.0.0")
    assert (made["payload"], made["sha"], made["ref"]) == (payload, scene.main(), "main")
    assert (made["environment"], made["production_environment"]) == ("production", True)
    assert dev.get(f"{DEPLOYMENTS}/{made['id']}") == made
    assert deploy(dev, payload="just text")["payload"] == "just text"
    assert scene.events("deployment")[0].payload["deployment"]["task"] == "shipmate:release"


def test_lists_are_newest_first_and_filtered(dev: Person) -> None:
    first = deploy(dev, task="shipmate:release", environment="staging")
    second = deploy(dev, task="deploy", environment="production")
    third = deploy(dev, task="shipmate:release", environment="production")

    def found(query: str) -> list[int]:
        return [one["id"] for one in dev.get(f"{DEPLOYMENTS}?{query}")]

    assert found("") == [third["id"], second["id"], first["id"]]
    assert found("task=shipmate:release") == [third["id"], first["id"]]
    assert found("task=shipmate:release&environment=production") == [third["id"]]
    assert found(f"sha={first['sha']}&ref=main&environment=staging") == [first["id"]]
    assert found("per_page=1&page=2") == [second["id"]]


def test_statuses_are_newest_first_and_move_the_deployment(scene: Scene, dev: Person) -> None:
    made = deploy(dev, environment="staging")
    status(dev, made, "in_progress", log_url="http://127.0.0.1/log")
    last = status(dev, made, "success", environment_url="https://staging.techmate.ai", description="v1")
    assert last["environment_url"] == "https://staging.techmate.ai"
    states = [one["state"] for one in dev.get(f"{DEPLOYMENTS}/{made['id']}/statuses")]
    assert states == ["success", "in_progress"]
    assert scene.events("deployment_status")[-1].payload["deployment_status"]["state"] == "success"
    status(dev, made, "failure", environment="elsewhere")
    moved = dev.get(f"{DEPLOYMENTS}/{made['id']}")
    assert (moved["environment"], moved["original_environment"]) == ("elsewhere", "staging")
    long = dev.api("POST", f"{DEPLOYMENTS}/{made['id']}/statuses", json={"state": "success", "description": "x" * 141})
    assert long.status_code == 422


@pytest.mark.parametrize(
    ("environment", "extra", "auto_inactive", "expected"),
    [
        ("staging", {}, True, "inactive"),
        ("staging", {}, False, "success"),
        ("staging", {"transient_environment": True}, True, "success"),
        ("production", {}, True, "success"),
        ("production", {"production_environment": False}, True, "inactive"),
    ],
)
def test_a_success_retires_earlier_ones_that_are_neither_transient_nor_production(
    dev: Person, environment: str, extra: dict[str, bool], auto_inactive: bool, expected: str
) -> None:
    old = deploy(dev, environment=environment, task="one", **extra)
    status(dev, old, "success")
    new = deploy(dev, environment=environment, task="another", **extra)
    status(dev, new, "success", auto_inactive=auto_inactive)
    assert dev.get(f"{DEPLOYMENTS}/{old['id']}/statuses")[0]["state"] == expected


def test_a_deployment_waits_for_checks_by_default(scene: Scene, dev: Person) -> None:
    dev.post(f"/repos/{REPOSITORY}/statuses/{scene.main()}", {"state": "pending", "context": "ci"})
    refused = dev.api("POST", DEPLOYMENTS, json={"ref": "main"})
    assert (refused.status_code, refused.json()["message"]) == (
        409,
        "Conflict: Commit status checks failed for main.",
    )
    missing = dev.api("POST", DEPLOYMENTS, json={"ref": "main", "required_contexts": ["other"]})
    assert missing.status_code == 409
    deploy(dev)
    dev.post(f"/repos/{REPOSITORY}/statuses/{scene.main()}", {"state": "success", "context": "ci"})
    dev.post(DEPLOYMENTS, {"ref": "main"})


def test_auto_merge_brings_the_branch_up_to_date_instead_of_deploying(
    scene: Scene, dev: Person, tmp_path: Path
) -> None:
    checkout = dev.clone(tmp_path / "clone")
    dev.git("checkout", "-q", "-b", "topic", cwd=checkout)
    dev.commit(checkout, "topic", "t", "Topic")
    dev.git("push", "-q", "origin", "topic", cwd=checkout)
    dev.git("checkout", "-q", "main", cwd=checkout)
    dev.commit(checkout, "main", "m", "Meanwhile on main")
    dev.git("push", "-q", "origin", "main", cwd=checkout)
    merged = dev.post(DEPLOYMENTS, {"ref": "topic"}, status=202)
    assert merged["message"] == "Auto-merged main into topic on deployment."
    assert dev.get(DEPLOYMENTS) == []
    assert dev.get(f"/repos/{REPOSITORY}/compare/main...topic")["behind_by"] == 0


def test_a_ref_that_is_not_there(dev: Person) -> None:
    answer = dev.api("POST", DEPLOYMENTS, json={"ref": "nowhere"})
    assert (answer.status_code, answer.json()["message"]) == (422, "No ref found for: nowhere")


def test_only_inactive_deployments_are_deleted(dev: Person) -> None:
    one, _ = deploy(dev, environment="staging"), deploy(dev, environment="staging")
    status(dev, one, "success")
    assert dev.api("DELETE", f"{DEPLOYMENTS}/{one['id']}").status_code == 422
    status(dev, one, "inactive")
    assert dev.api("DELETE", f"{DEPLOYMENTS}/{one['id']}").status_code == 204


def test_lists_may_lag_behind_but_lookups_do_not(scene: Scene, dev: Person) -> None:
    scene.github.instance.lag = 1
    made = deploy(dev)
    assert dev.get(f"{DEPLOYMENTS}/{made['id']}")["id"] == made["id"]
    assert [len(dev.get(DEPLOYMENTS)) for _ in range(2)] == [0, 1]
