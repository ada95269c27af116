"""Environments, secrets, variables: what an administrator sets, and what the runner receives of it."""

from __future__ import annotations

import base64

from nacl.public import PublicKey, SealedBox

from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

HERE = f"/repos/{REPOSITORY}"


def test_an_environment_with_reviewers_and_branch_policies(scene: Scene, manager: Person) -> None:
    reviewer = manager.get("/users/release-manager")["id"]
    rules = {
        "wait_timer": 5,
        "prevent_self_review": True,
        "reviewers": [{"type": "User", "id": reviewer}],
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
    }
    made = manager.api("PUT", f"{HERE}/environments/production", json=rules).json()
    assert {rule["type"] for rule in made["protection_rules"]} == {"wait_timer", "required_reviewers", "branch_policy"}
    policies = f"{HERE}/environments/production/deployment-branch-policies"
    policy = manager.post(policies, {"name": "main"}, status=200)
    manager.post(policies, {"name": "v*", "type": "tag"}, status=200)
    result = scene.do(scene.github.hub.environment, REPOSITORY, "production")
    assert (result.reviewers, result.prevent_self_review, result.wait_minutes) == (("release-manager",), True, 5)
    assert (result.branch_patterns, result.tag_patterns) == (("main",), ("v*",))
    assert manager.api("DELETE", f"{policies}/{policy['id']}").status_code == 204
    assert manager.get(policies)["total_count"] == 1
    cleared = manager.api("PUT", f"{HERE}/environments/production", json={}).json()
    assert cleared["protection_rules"] == [], "what is not given is switched off"
    assert [one["name"] for one in manager.get(f"{HERE}/environments")["environments"]] == ["production"]
    assert manager.api("DELETE", f"{HERE}/environments/production").status_code == 204
    assert manager.api("GET", f"{HERE}/environments/production").status_code == 404


def test_reviewers_have_to_exist_and_be_few(manager: Person) -> None:
    unknown = manager.api("PUT", f"{HERE}/environments/x", json={"reviewers": [{"type": "User", "id": 1}]})
    assert unknown.status_code == 422
    both = {"deployment_branch_policy": {"protected_branches": True, "custom_branch_policies": True}}
    assert manager.api("PUT", f"{HERE}/environments/x", json=both).status_code == 422


def test_protected_branches_only_means_those_there_are(scene: Scene) -> None:
    scene.do(scene.github.seed.protect_branch, REPOSITORY)
    scene.do(scene.github.seed.environment, REPOSITORY, "production", protected_branches=True)
    assert scene.do(scene.github.hub.environment, REPOSITORY, "production").branch_patterns == ("main",)


def test_an_environment_nobody_made_has_no_rules(scene: Scene) -> None:
    result = scene.do(scene.github.hub.environment, REPOSITORY, "preview")
    assert (result.name, result.reviewers, result.branch_patterns) == ("preview", (), ())


def test_a_secret_goes_in_sealed_and_comes_out_for_jobs_only(scene: Scene, manager: Person) -> None:
    key = manager.get(f"{HERE}/actions/secrets/public-key")
    sealed = SealedBox(PublicKey(base64.b64decode(key["key"]))).encrypt(b"hunter2")
    body = {"encrypted_value": base64.b64encode(sealed).decode(), "key_id": key["key_id"]}
    assert manager.api("PUT", f"{HERE}/actions/secrets/slack_token", json=body).status_code == 201
    assert manager.api("PUT", f"{HERE}/actions/secrets/SLACK_TOKEN", json=body).status_code == 204
    listed = manager.api("GET", f"{HERE}/actions/secrets")
    assert [one["name"] for one in listed.json()["secrets"]] == ["SLACK_TOKEN"]
    assert "hunter2" not in listed.text
    assert scene.do(scene.github.hub.secrets, REPOSITORY, None) == {"SLACK_TOKEN": "hunter2"}
    garbage = {**body, "encrypted_value": base64.b64encode(b"not sealed").decode()}
    assert manager.api("PUT", f"{HERE}/actions/secrets/OTHER", json=garbage).status_code == 422
    assert manager.api("DELETE", f"{HERE}/actions/secrets/SLACK_TOKEN").status_code == 204
    assert manager.api("GET", f"{HERE}/actions/secrets/SLACK_TOKEN").status_code == 404


def test_secrets_of_an_environment_go_before_those_of_the_repository(scene: Scene, manager: Person) -> None:
    seed = scene.github.seed
    scene.do(seed.secrets, REPOSITORY, {"TOKEN": "common", "ONLY": "here"})
    scene.do(seed.environment, REPOSITORY, "production", secrets={"TOKEN": "special"}, variables={"REGION": "west"})
    scene.do(seed.variables, REPOSITORY, {"REGION": "east"})
    hub = scene.github.hub
    assert scene.do(hub.secrets, REPOSITORY, "production") == {"TOKEN": "special", "ONLY": "here"}
    assert scene.do(hub.variables, REPOSITORY, "production") == {"REGION": "west"}
    assert scene.do(hub.variables, REPOSITORY, "staging") == {"REGION": "east"}
    names = manager.get(f"{HERE}/environments/production/secrets")["secrets"]
    assert [one["name"] for one in names] == ["TOKEN"]
    assert set(names[0]) == {"name", "created_at", "updated_at"}


def test_variables_are_made_changed_and_removed(manager: Person) -> None:
    path = f"{HERE}/actions/variables"
    manager.post(path, {"name": "region", "value": "europe-west1"})
    assert manager.api("POST", path, json={"name": "REGION", "value": "x"}).status_code == 409
    assert manager.api("PATCH", f"{path}/REGION", json={"value": "europe-west4"}).status_code == 204
    assert manager.get(f"{path}/region")["value"] == "europe-west4"
    assert manager.api("DELETE", f"{path}/REGION").status_code == 204
    assert manager.get(path)["total_count"] == 0


def test_readers_do_not_see_names_of_secrets(scene: Scene) -> None:
    assert scene.person("on-call").api("GET", f"{HERE}/actions/secrets").status_code == 403


def test_selected_branches_only_and_none_selected_lets_nothing_deploy(scene: Scene, manager: Person) -> None:
    policy = {"deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True}}
    manager.api("PUT", f"{HERE}/environments/production", json=policy)
    (pattern,) = scene.do(scene.github.hub.environment, REPOSITORY, "production").branch_patterns
    assert pattern != "main"


def test_jobs_open_and_approve_pull_requests_only_where_they_may(scene: Scene, dev: Person, manager: Person) -> None:
    dev.post(f"{HERE}/git/refs", {"ref": "refs/heads/feature", "sha": scene.main()})
    content = {"message": "m", "content": base64.b64encode(b"x").decode(), "branch": "feature"}
    dev.api("PUT", f"{HERE}/contents/x", json=content)
    job = scene.job_token({"pull-requests": "write", "contents": "write"})
    body = {"title": "T", "head": "feature", "base": "main"}
    refused = job.api("POST", f"{HERE}/pulls", json=body)
    assert (refused.status_code, refused.json()["message"]) == (
        403,
        "GitHub Actions is not permitted to create or approve pull requests.",
    )
    path = f"{HERE}/actions/permissions/workflow"
    assert manager.get(path)["can_approve_pull_request_reviews"] is False
    assert manager.api("PUT", path, json={"can_approve_pull_request_reviews": True}).status_code == 204
    assert job.post(f"{HERE}/pulls", body)["user"]["login"] == "github-actions[bot]"
    assert scene.events("pull_request") == []


def test_what_a_job_reads_of_an_environment_and_what_it_does_not(scene: Scene) -> None:
    seed = scene.github.seed
    scene.do(seed.environment, REPOSITORY, "production", branches=["main"], secrets={"TOKEN": "x"}, admins_bypass=False)
    job = scene.job_token({"actions": "read", "contents": "read"})
    read = job.get(f"{HERE}/environments/production")
    assert read["deployment_branch_policy"] == {"protected_branches": False, "custom_branch_policies": True}
    assert [rule["type"] for rule in read["protection_rules"]] == ["branch_policy"]
    assert read["can_admins_bypass"] is False
    policies = job.get(f"{HERE}/environments/production/deployment-branch-policies")["branch_policies"]
    assert [(one["name"], one["type"]) for one in policies] == [("main", "branch")]
    for path in ("environments/production/secrets", "actions/secrets", "actions/variables"):
        refused = job.api("GET", f"{HERE}/{path}")
        assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration"), path
    assert scene.job_token({"contents": "read"}).api("GET", f"{HERE}/environments/production").status_code == 403
    assert job.api("PUT", f"{HERE}/environments/production", json={}).status_code == 403
    assert job.api("GET", f"{HERE}/environments/staging").status_code == 404


def test_a_job_makes_the_environment_that_nobody_made(scene: Scene, dev: Person) -> None:
    dispatches = f"{HERE}/actions/workflows/deploy-production.yml/dispatches"
    dev.post(dispatches, {"ref": "main", "inputs": {"version": "v1"}}, status=204)
    made = dev.get(f"{HERE}/environments/production")
    assert (made["protection_rules"], made["deployment_branch_policy"]) == ([], None)


def test_a_job_without_deployment_makes_the_environment_alone(scene: Scene, dev: Person) -> None:
    dispatches = f"{HERE}/actions/workflows/deploy-production.yml/dispatches"
    dev.post(dispatches, {"ref": "main", "inputs": {"version": "v1"}}, status=204)
    (run,) = scene.runner.runs.values()
    scene.github.instance.repository(REPOSITORY).deployments.clear()
    run.jobs[0].makes_deployment = False
    run.jobs[0].environment = "notify"
    scene.do(scene.runner.finish, run.id)
    assert dev.get(f"{HERE}/deployments") == []
    assert dev.get(f"{HERE}/environments/notify")["name"] == "notify"


def test_names_of_environments_are_not_distinguished_by_case(scene: Scene, dev: Person) -> None:
    seed = scene.github.seed
    scene.do(seed.environment, REPOSITORY, "production", reviewers=["release-manager"], secrets={"TOKEN": "x"})
    hub = scene.github.hub
    assert scene.do(hub.secrets, REPOSITORY, "Production") == {"TOKEN": "x"}
    result = scene.do(hub.environment, REPOSITORY, "PRODUCTION")
    assert (result.name, result.reviewers) == ("production", ("release-manager",))
    assert dev.get(f"{HERE}/environments/Production")["name"] == "production"
    scene.do(seed.environment, REPOSITORY, "Production")
    assert dev.get(f"{HERE}/environments")["total_count"] == 1


def test_a_private_repository_of_a_free_account_has_no_environments(scene: Scene, dev: Person, manager: Person) -> None:
    seed = scene.github.seed
    scene.do(seed.environment, REPOSITORY, "production", reviewers=["release-manager"], secrets={"TOKEN": "special"})
    scene.do(seed.secrets, REPOSITORY, {"TOKEN": "common"})
    repository = scene.github.instance.repository(REPOSITORY)
    repository.private, repository.settings.plan = True, "free"
    for path in ("", "/deployment-branch-policies", "/secrets"):
        assert manager.api("GET", f"{HERE}/environments/production{path}").status_code == 404, path
    assert manager.api("PUT", f"{HERE}/environments/production", json={}).status_code == 404
    assert dev.get(f"{HERE}/environments")["environments"] == []
    hub = scene.github.hub
    assert scene.do(hub.secrets, REPOSITORY, "production") == {"TOKEN": "common"}, "from any branch"
    assert scene.do(hub.environment, REPOSITORY, "production").reviewers == ()


def test_reviewers_of_a_private_repository_take_the_highest_plan(scene: Scene, manager: Person) -> None:
    scene.do(scene.github.seed.environment, REPOSITORY, "production", reviewers=["release-manager"], branches=["main"])
    repository = scene.github.instance.repository(REPOSITORY)
    repository.private, repository.settings.plan = True, "team"
    result = scene.do(scene.github.hub.environment, REPOSITORY, "production")
    assert (result.reviewers, result.branch_patterns) == ((), ("main",))
    body = {"reviewers": [{"type": "User", "id": manager.get("/user")["id"]}]}
    refused = manager.api("PUT", f"{HERE}/environments/production", json=body)
    assert (refused.status_code, "billing plan" in refused.json()["message"]) == (422, True)
    assert manager.api("PUT", f"{HERE}/environments/production", json={}).status_code == 200


def test_branch_policies_are_changed_and_not_made_twice(scene: Scene, manager: Person) -> None:
    scene.do(scene.github.seed.environment, REPOSITORY, "production", branches=["main"])
    path = f"{HERE}/environments/production/deployment-branch-policies"
    again = manager.api("POST", path, json={"name": "main"}, allow_redirects=False)
    assert again.status_code == 303
    (policy,) = manager.get(path)["branch_policies"]
    assert manager.api("PUT", f"{path}/{policy['id']}", json={"name": "trunk"}).json()["name"] == "trunk"
    assert manager.get(path)["total_count"] == 1
