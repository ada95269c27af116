"""Rulesets: who reads what of them, what they refuse, who may pass them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from rehearsal.github.accounts.state import ACTIONS_APP_ID
from rehearsal.github.protection.state import BypassActor
from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

HERE = f"/repos/{REPOSITORY}"
ADMINISTRATORS = 5
RULES = {
    "name": "main and its maintenance lines",
    "target": "branch",
    "enforcement": "active",
    "bypass_actors": [{"actor_id": ADMINISTRATORS, "actor_type": "RepositoryRole", "bypass_mode": "pull_request"}],
    "conditions": {"ref_name": {"include": ["refs/heads/main", "refs/heads/release/**/*"], "exclude": []}},
    "rules": [
        {"type": "deletion"},
        {
            "type": "required_status_checks",
            "parameters": {
                "strict_required_status_checks_policy": False,
                "required_status_checks": [{"context": "ci", "integration_id": ACTIONS_APP_ID}],
            },
        },
    ],
}


def change(person: Person, branch: str, path: str = "x") -> None:
    content = {"message": "m", "content": base64.b64encode(b"x").decode(), "branch": branch}
    assert person.api("PUT", f"{HERE}/contents/{path}", json=content).status_code == 201


def pull(scene: Scene, person: Person, branch: str = "feature", base: str = "main") -> int:
    person.post(f"{HERE}/git/refs", {"ref": f"refs/heads/{branch}", "sha": scene.main()})
    change(person, branch)
    return int(person.post(f"{HERE}/pulls", {"title": "T", "head": branch, "base": base})["number"])


def merge(person: Person, number: int) -> tuple[int, str]:
    answer = person.api("PUT", f"{HERE}/pulls/{number}/merge", json={})
    return answer.status_code, str(answer.json()["message"])


def test_everybody_reads_the_rules_and_administrators_who_may_pass_them(
    scene: Scene, dev: Person, manager: Person
) -> None:
    made = manager.post(f"{HERE}/rulesets", RULES)
    assert dev.api("POST", f"{HERE}/rulesets", json=RULES).status_code == 403
    path = f"{HERE}/rulesets/{made['id']}"
    administrator = manager.get(path)
    assert administrator["bypass_actors"] == RULES["bypass_actors"]
    assert administrator["current_user_can_bypass"] == "pull_requests_only"
    job = scene.job_token({})
    for reader in (dev, job, scene.person("release-manager", permissions={"administration": "read"})):
        read = reader.get(path)
        assert "bypass_actors" not in read
        assert (read["conditions"], read["rules"]) == (RULES["conditions"], RULES["rules"])
    assert job.get(path)["current_user_can_bypass"] == "never"
    assert [one["id"] for one in job.get(f"{HERE}/rulesets?includes_parents=true&targets=branch")] == [made["id"]]
    assert job.get(f"{HERE}/rulesets?targets=tag") == []
    changed = {**RULES, "enforcement": "disabled"}
    assert manager.api("PUT", path, json=changed).json()["enforcement"] == "disabled"
    assert job.get(f"{HERE}/rules/branches/main") == []
    assert manager.api("DELETE", path).status_code == 204
    assert job.api("GET", path).status_code == 404


def test_rules_of_a_branch_are_known_before_there_is_one(scene: Scene, manager: Person) -> None:
    ruleset = manager.post(f"{HERE}/rulesets", RULES)["id"]
    rules = scene.job_token({}).get(f"{HERE}/rules/branches/release/1.x")
    assert [(rule["type"], rule["ruleset_id"]) for rule in rules] == [
        ("deletion", ruleset),
        ("required_status_checks", ruleset),
    ]
    assert scene.job_token({}).get(f"{HERE}/rules/branches/feature/x") == []


def test_a_required_check_counts_from_its_app_alone(scene: Scene, dev: Person, reviewer: Person) -> None:
    scene.do(scene.github.seed.branch_ruleset, REPOSITORY, ["main"], checks=["ci"], reviews=None, app_id=ACTIONS_APP_ID)
    number = pull(scene, dev)
    head = dev.get(f"{HERE}/pulls/{number}")["head"]["sha"]
    for run in scene.runner.runs.values():
        scene.do(scene.runner.finish, run.id, "failure")
    dev.post(f"{HERE}/statuses/{head}", {"state": "success", "context": "ci"})
    token = scene.do(scene.github.seed.app, "other-checks", REPOSITORY, permissions={"checks": "write"})
    other = Person(login="other-checks[bot]", token=token, url=scene.url, home=scene.folder)
    other.post(f"{HERE}/check-runs", {"name": "ci", "head_sha": head, "conclusion": "success"})
    assert merge(reviewer, number) == (405, 'Required status check "ci" is failing.')
    scene.job_token({"checks": "write"}).post(
        f"{HERE}/check-runs", {"name": "ci", "head_sha": head, "conclusion": "success"}
    )
    assert merge(reviewer, number)[0] == 200, "any workflow's token reports as GitHub Actions"


def test_administrators_may_pass_by_a_pull_request_and_not_by_a_push(
    scene: Scene, dev: Person, manager: Person, tmp_path: Path
) -> None:
    manager.post(f"{HERE}/rulesets", RULES)
    number = pull(scene, dev)
    checkout = manager.clone(tmp_path / "work")
    manager.commit(checkout, "x", "y", "Straight to main")
    result = manager.git("push", "origin", "main", cwd=checkout, fails=True)
    assert "GH013: Repository rule violations found for refs/heads/main" in result
    assert merge(dev, number)[0] == 405
    assert merge(manager, number)[0] == 200


@pytest.mark.parametrize(
    ("options", "approved", "reason"),
    [
        ({"reviews": 1}, False, "At least 1 approving review is required by reviewers with write access."),
        ({"reviews": 1}, True, ""),
        ({"reviews": 2}, True, "At least 2 approving reviews are required by reviewers with write access."),
        ({"reviews": None, "restrict_updates": True}, True, "Cannot update this protected ref."),
    ],
)
def test_reviews_and_updates(
    scene: Scene, dev: Person, reviewer: Person, options: dict[str, Any], approved: bool, reason: str
) -> None:
    scene.do(scene.github.seed.branch_ruleset, REPOSITORY, ["~DEFAULT_BRANCH"], **options)
    number = pull(scene, dev)
    if approved:
        reviewer.post(f"{HERE}/pulls/{number}/reviews", {"event": "APPROVE"}, status=200)
    status, message = merge(reviewer, number)
    assert (status, message) == ((405, reason) if reason else (200, "Pull Request successfully merged"))


def test_the_last_push_needs_someone_elses_approval(scene: Scene, dev: Person, reviewer: Person) -> None:
    options = {"last_push_approval": True, "dismiss_stale": False}
    scene.do(scene.github.seed.branch_ruleset, REPOSITORY, ["main"], **options)
    number = pull(scene, dev)
    change(reviewer, "feature", "y")
    reviewer.post(f"{HERE}/pulls/{number}/reviews", {"event": "APPROVE"}, status=200)
    assert "most recent push must be approved by someone other" in merge(dev, number)[1]


def test_an_approval_goes_with_the_next_push(scene: Scene, dev: Person, reviewer: Person) -> None:
    scene.do(scene.github.seed.branch_ruleset, REPOSITORY, ["main"])
    number = pull(scene, dev)
    reviewer.post(f"{HERE}/pulls/{number}/reviews", {"event": "APPROVE"}, status=200)
    change(dev, "feature", "y")
    (review,) = dev.get(f"{HERE}/pulls/{number}/reviews")
    assert (review["state"], review["user"]["login"]) == ("DISMISSED", "dev-2")
    assert merge(reviewer, number)[0] == 405


@pytest.mark.parametrize("ref", ["heads/release/1.x", "heads/release/a/b", "tags/mobile-v1.0.0"])
def test_refs_that_only_some_may_make(scene: Scene, dev: Person, manager: Person, ref: str) -> None:
    administrators = BypassActor(actor_id=ADMINISTRATORS, actor_type="RepositoryRole")
    seed, options = scene.github.seed, {"restrict_creations": True, "bypass": [administrators]}
    scene.do(seed.branch_ruleset, REPOSITORY, ["release/**/*"], reviews=None, **options)
    scene.do(seed.protect_tags, REPOSITORY, ["v*", "mobile-v*"], **options)
    body = {"ref": f"refs/{ref}", "sha": scene.main()}
    refused = dev.api("POST", f"{HERE}/git/refs", json=body)
    assert (refused.status_code, "creations are restricted" in refused.json()["message"]) == (422, True)
    assert scene.job_token({"contents": "write"}).api("POST", f"{HERE}/git/refs", json=body).status_code == 422
    manager.post(f"{HERE}/git/refs", body)
    assert dev.api("DELETE", f"{HERE}/git/refs/{ref}").status_code == 422
    assert dev.get(f"{HERE}/git/matching-refs/{ref.rpartition('/')[0]}/")[0]["ref"] == f"refs/{ref}"


def test_a_new_line_may_need_a_green_commit(scene: Scene, dev: Person) -> None:
    seed = scene.github.seed
    scene.do(seed.branch_ruleset, REPOSITORY, ["release/*"], checks=["ci"], checks_on_creation=True)
    body = {"ref": "refs/heads/release/1.x", "sha": scene.main()}
    refused = dev.api("POST", f"{HERE}/git/refs", json=body)
    assert 'Required status check "ci" is expected.' in refused.json()["message"]
    dev.post(f"{HERE}/statuses/{scene.main()}", {"state": "success", "context": "ci"})
    dev.post(f"{HERE}/git/refs", body)


def test_a_private_repository_of_a_free_account_has_no_rules(scene: Scene, dev: Person, manager: Person) -> None:
    scene.do(scene.github.seed.branch_ruleset, REPOSITORY, ["main"])
    scene.do(scene.github.seed.protect_branch, REPOSITORY)
    repository = scene.github.instance.repository(REPOSITORY)
    repository.private, repository.settings.plan = True, "free"
    for path in ("rulesets", "rulesets/101", "rules/branches/main", "branches/main/protection"):
        answer = manager.api("GET", f"{HERE}/{path}")
        assert (answer.status_code, answer.json()["message"]) == (
            403,
            "Upgrade to GitHub Pro or make this repository public to enable this feature.",
        ), path
    assert manager.api("POST", f"{HERE}/rulesets", json=RULES).status_code == 403
    assert dev.get(f"{HERE}/branches/main")["protected"] is False
    change(dev, "main")
