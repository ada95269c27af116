from __future__ import annotations

from collections.abc import Iterator

import pytest

from rehearsal.contracts.contract import load
from tests.rehearsal.emulators.vercel_client import PAGE, SHA, Client, vercel_client


@pytest.fixture
def vercel() -> Iterator[Client]:
    with vercel_client() as client:
        yield client


def test_aliases_can_be_given_and_taken(vercel: Client) -> None:
    first, second = vercel.deploy(target=None), vercel.deploy(target=None)
    name = "demo-techmate.vercel.app"
    given = vercel.ask("POST", f"/v2/deployments/{first['id']}/aliases", json={"alias": name}).json()
    moved = vercel.ask("POST", f"/v2/deployments/{second['id']}/aliases", json={"alias": name}).json()
    assert (given["oldDeploymentId"], moved["oldDeploymentId"]) == (None, first["id"])
    assert vercel.get(f"/v4/aliases/{name}")["deploymentId"] == second["id"]
    assert [alias["alias"] for alias in vercel.get(f"/v2/deployments/{second['id']}/aliases")["aliases"]] == [name]
    assert [alias["alias"] for alias in vercel.get("/v4/aliases", projectId=first["projectId"])["aliases"]] == [name]
    assert vercel.ask("DELETE", f"/v2/aliases/{moved['uid']}").json() == {"status": "SUCCESS"}
    assert vercel.shown(name) is None


def test_a_name_of_another_project_cannot_be_taken(vercel: Client) -> None:
    deployment = vercel.deploy()
    answer = vercel.ask("POST", f"/v2/deployments/{deployment['id']}/aliases", json={"alias": "staging.techmate.ai"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "alias_in_use")


def test_domains_of_a_project(vercel: Client) -> None:
    live = vercel.deploy()
    listed = vercel.get("/v9/projects/techmate-web/domains")["domains"]
    assert [domain["name"] for domain in listed] == ["techmate-web.vercel.app", "techmate.ai"]
    added = vercel.ask("POST", "/v10/projects/techmate-web/domains", json={"name": "www.techmate.ai"})
    assert added.json()["apexName"] == "techmate.ai"
    assert vercel.shown("www.techmate.ai") == live["id"]
    taken = vercel.ask("POST", "/v10/projects/techmate-web-staging/domains", json={"name": "techmate.ai"})
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "domain_already_in_use")
    assert vercel.ask("DELETE", "/v9/projects/techmate-web/domains/www.techmate.ai").status_code == 200
    assert vercel.shown("www.techmate.ai") is None
    assert vercel.ask("GET", "/v9/projects/techmate-web/domains/www.techmate.ai").status_code == 404


def test_a_domain_is_verified(vercel: Client) -> None:
    domain = vercel.vercel.account.project("techmate-web").domains[-1]
    domain.verified = False
    path = f"/v9/projects/techmate-web/domains/{domain.name}"
    [record] = vercel.get(path)["verification"]
    assert (record["type"], record["domain"]) == ("TXT", "_vercel.techmate.ai")
    assert vercel.ask("POST", f"{path}/verify").json()["verified"] is True
    assert "verification" not in vercel.get(path)


def test_settings_that_decide_what_is_deployed_and_who_sees_it(vercel: Client) -> None:
    project, path = vercel.vercel.account.project("techmate-web"), "/v9/projects/techmate-web"
    assert not {"link", "rootDirectory", "passwordProtection"} & vercel.get(path).keys()
    project.repository = "techmate/platform"
    changed = vercel.ask("PATCH", path, json={"rootDirectory": "apps/web"}).json()
    assert (changed["link"]["org"], changed["link"]["repo"]) == ("techmate", "platform")
    assert changed["rootDirectory"] == "apps/web"
    project.password = True
    assert "passwordProtection" in vercel.get(path)
    open_to_all = vercel.ask("PATCH", path, json={"rootDirectory": None, "passwordProtection": None}).json()
    assert not {"rootDirectory", "passwordProtection"} & open_to_all.keys()


def test_a_team_and_its_plan(vercel: Client) -> None:
    account = vercel.vercel.account
    found = vercel.get(f"/v2/teams/{account.team_id}")
    assert (found["slug"], found["billing"]) == ("techmate", {"plan": "pro"})
    account.plan = "hobby"
    vercel.vercel.load(vercel.vercel.save())
    assert vercel.get(f"/v2/teams/{account.team_id}")["billing"] == {"plan": "hobby"}
    assert vercel.ask("GET", "/v2/teams/team_of_others").status_code == 404


def test_environment_variables(vercel: Client) -> None:
    path = "/v10/projects/techmate-web/env"
    body = {"key": "API_URL", "value": "https://one", "type": "encrypted", "target": ["production"]}
    made = vercel.ask("POST", path, json=body)
    assert (made.status_code, made.json()["failed"], made.json()["created"]["key"]) == (201, [], "API_URL")
    again = vercel.ask("POST", path, json=body).json()
    assert [failure["error"]["code"] for failure in again["failed"]] == ["ENV_CONFLICT"]
    changed = vercel.ask("POST", path, params={"upsert": "true"}, json={**body, "value": "https://two"}).json()
    assert changed["created"]["id"] == made.json()["created"]["id"]
    both = [{**body, "target": ["preview"]}, {**body, "key": "SECRET", "type": "sensitive"}]
    assert len(vercel.ask("POST", path, json=both).json()["created"]) == 2
    hidden = {(v["key"], v["target"][0]): v["value"] for v in vercel.get(path)["envs"]}
    assert set(hidden.values()) == {""}
    shown = {(v["key"], v["target"][0]): v["value"] for v in vercel.get(path, decrypt="true")["envs"]}
    assert shown == {
        ("API_URL", "production"): "https://two",
        ("API_URL", "preview"): "https://one",
        ("SECRET", "production"): "",
    }
    one = f"/v9/projects/techmate-web/env/{made.json()['created']['id']}"
    assert vercel.ask("PATCH", one, json={"value": "https://three", "type": "plain"}).json()["value"] == "https://three"
    assert vercel.ask("DELETE", one).status_code == 200
    assert vercel.ask("DELETE", one).status_code == 404


def test_the_protection_bypass_is_generated_and_revoked(vercel: Client) -> None:
    path = "/v1/projects/techmate-web/protection-bypass"
    [secret] = vercel.ask("PATCH", path, json={"generate": {}}).json()["protectionBypass"]
    assert len(secret) == 32
    revoked = vercel.ask("PATCH", path, json={"revoke": {"secret": secret, "regenerate": False}})
    assert revoked.json()["protectionBypass"] == {}
    again = vercel.ask("PATCH", path, json={"revoke": {"secret": secret, "regenerate": False}})
    assert again.status_code == 400


def test_a_policy_of_the_team_makes_every_variable_a_sensitive_one(vercel: Client) -> None:
    vercel.vercel.account.keeps_secrets = True
    body = {"key": "MARK", "value": "v1", "type": "plain", "target": ["production"]}
    made = vercel.ask("POST", "/v10/projects/techmate-web/env", params={"upsert": "true"}, json=body)
    assert (made.status_code, made.json()["created"]["type"]) == (201, "sensitive")
    (listed,) = vercel.get("/v10/projects/techmate-web/env", decrypt="true")["envs"]
    assert (listed["type"], listed["value"]) == ("sensitive", "")


def test_lists_of_variables_may_be_late(vercel: Client) -> None:
    path = "/v10/projects/techmate-web/env"
    for value in ("v1", "v2"):
        body = {"key": "MARK", "value": value, "type": "plain", "target": ["production"]}
        assert vercel.ask("POST", path, params={"upsert": "true"}, json=body).status_code == 201
        vercel.vercel.account.list_delay = 2000
    assert [each["value"] for each in vercel.get(path)["envs"]] == ["v1"]
    vercel.clock.forward(3)
    assert [each["value"] for each in vercel.get(path)["envs"]] == ["v2"]


def test_projects(vercel: Client) -> None:
    assert [p["name"] for p in vercel.get("/v10/projects")["projects"]] == ["techmate-web", "techmate-web-staging"]
    assert vercel.ask("GET", "/v9/projects/techmate-wbe").json()["error"]["code"] == "not_found"
    created = vercel.ask("POST", "/v11/projects", json={"name": "docs"})
    assert created.json()["autoAssignCustomDomains"] is True
    path = f"/v9/projects/{created.json()['id']}"
    assert vercel.get(path)["name"] == "docs"
    assert "ssoProtection" not in vercel.ask("PATCH", path, json={"ssoProtection": None}).json()


def test_an_unknown_project_named_outright_is_an_error_and_a_new_name_a_new_project(vercel: Client) -> None:
    files = [{"file": "index.html", "data": "x"}]
    body = {"name": "docs", "project": "dosc", "files": files}
    assert vercel.ask("POST", "/v13/deployments", json=body).status_code == 404
    assert vercel.ask("POST", "/v13/deployments", json={"name": "docs", "files": files}).status_code == 200
    assert vercel.get("/v9/projects/docs")["name"] == "docs"


@pytest.mark.parametrize(
    ("token", "team", "status", "code"),
    [
        (None, "techmate", 403, "forbidden"),
        ("expired", "techmate", 403, "forbidden"),
        ("token-of-dev-1", None, 404, "not_found"),
        ("token-of-dev-1", "another-team", 403, "forbidden"),
    ],
)
def test_token_and_team_are_asked_for_everywhere(
    vercel: Client, token: str | None, team: str | None, status: int, code: str
) -> None:
    for method, path in (("GET", "/v9/projects/techmate-web"), ("GET", "/v7/deployments"), ("POST", "/v2/files")):
        answer = vercel.ask(method, path, token=token, team=team)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_every_path_served_is_in_the_contract() -> None:
    contract = load("vercel")
    for route in Client().vercel.app.routes:  # type: ignore[attr-defined]
        for method in route.methods - {"HEAD"}:
            path = route.path.replace("{", "x").replace("}", "x")
            assert contract.operation(method, path) is not None, f"{method} {route.path}"


def test_a_saved_account_goes_on_where_it_was(vercel: Client) -> None:
    live, staged = vercel.deploy(), vercel.stage(content=PAGE + b"2")
    vercel.promote(staged)
    saved = vercel.vercel.save()
    vercel.vercel.reset()
    assert vercel.shown() is None
    assert vercel.ask("GET", f"/v13/deployments/{live['id']}").status_code == 404
    vercel.vercel.load(saved)
    assert vercel.shown() == live["id"]
    vercel.clock.forward()
    assert vercel.shown() == staged["id"]
    assert vercel.vercel.account.blobs[SHA] == PAGE
