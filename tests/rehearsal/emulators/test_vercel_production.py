from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.rehearsal.emulators.vercel_client import PAGE, Client, vercel_client


@pytest.fixture
def vercel() -> Iterator[Client]:
    with vercel_client() as client:
        yield client


def test_a_staged_deployment_takes_no_traffic_until_it_is_promoted(vercel: Client) -> None:
    first, second = vercel.deploy(), vercel.stage(content=PAGE + b"2")
    assert (second["readyState"], second["readySubstate"], second["aliasAssigned"]) == ("READY", "STAGED", False)
    assert vercel.shown() == first["id"]
    assert vercel.promote(second).status_code == 202
    assert vercel.get("/v9/projects/techmate-web")["lastAliasRequest"]["jobStatus"] == "in-progress"
    assert {item["status"] for item in vercel.get("/v1/projects/techmate-web/promote/aliases")["aliases"]} == {
        "in-progress"
    }
    assert vercel.shown() == first["id"]
    vercel.clock.forward()
    assert vercel.shown() == vercel.shown("techmate-web.vercel.app") == second["id"]
    assert {item["status"] for item in vercel.get("/v1/projects/techmate-web/promote/aliases")["aliases"]} == {
        "completed"
    }
    project = vercel.get("/v9/projects/techmate-web")
    assert project["lastAliasRequest"]["jobStatus"] == "succeeded"
    assert project["targets"]["production"]["id"] == second["id"]
    assert vercel.get(f"/v13/deployments/{second['id']}")["readySubstate"] == "PROMOTED"
    assert vercel.get(f"/v13/deployments/{first['id']}")["readySubstate"] == "PROMOTED"


def test_promotion_is_refused_while_one_runs_and_when_it_is_done(vercel: Client) -> None:
    vercel.deploy()
    second, third = vercel.stage(), vercel.stage()
    assert vercel.promote(second).status_code == 202
    assert vercel.promote(third).status_code == 409
    vercel.clock.forward()
    refused = vercel.promote(second)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "already_promoted")
    assert vercel.promote(third).status_code == 202


@pytest.mark.parametrize("options", [{"target": None}, {"ready": False}])
def test_only_ready_production_deployments_can_be_promoted(vercel: Client, options: dict[str, Any]) -> None:
    assert vercel.promote(vercel.deploy(**options)).status_code == 422


def test_a_deployment_of_another_project_cannot_be_promoted(vercel: Client) -> None:
    other = vercel.ask("POST", f"/v10/projects/techmate-web-staging/promote/{vercel.stage()['id']}")
    assert (other.status_code, other.json()["error"]["code"]) == (404, "not_found")


def test_promotion_turns_the_assignment_of_domains_on_again(vercel: Client) -> None:
    project = "/v9/projects/techmate-web"
    assert (
        vercel.ask("PATCH", project, json={"autoAssignCustomDomains": False}).json()["autoAssignCustomDomains"] is False
    )
    held = vercel.deploy()
    assert held["readySubstate"] == "STAGED"
    vercel.promote(held)
    vercel.clock.forward()
    assert vercel.get(project)["autoAssignCustomDomains"] is True
    assert vercel.deploy()["readySubstate"] == "PROMOTED"


def test_a_rollback_is_instant_and_pins_production_until_the_next_promotion(vercel: Client) -> None:
    first, second = vercel.deploy(), vercel.deploy(content=PAGE + b"2")
    candidates = vercel.get("/v7/deployments", projectId=first["projectId"], rollbackCandidate="true")["deployments"]
    assert [candidate["uid"] for candidate in candidates] == [first["id"]]
    path = f"/v1/projects/techmate-web/rollback/{first['id']}"
    answer = vercel.ask("POST", path, params={"description": "checkout is broken"})
    assert (answer.status_code, vercel.shown()) == (201, first["id"])
    project = vercel.get("/v9/projects/techmate-web")
    assert project["lastAliasRequest"]["type"] == "rollback"
    assert project["lastAliasRequest"]["fromDeploymentId"] == second["id"]
    assert project["rollbackDescription"]["description"] == "checkout is broken"
    assert project["autoAssignCustomDomains"] is False
    third = vercel.deploy(content=PAGE + b"3")
    assert (third["readySubstate"], vercel.shown()) == ("STAGED", first["id"])
    assert vercel.promote(third).status_code == 202
    vercel.clock.forward()
    project = vercel.get("/v9/projects/techmate-web")
    assert (vercel.shown(), project["autoAssignCustomDomains"]) == (third["id"], True)
    assert "rollbackDescription" not in project


def test_a_rollback_goes_only_to_what_was_live_and_is_not(vercel: Client) -> None:
    live, staged = vercel.deploy(), vercel.stage()
    never = vercel.ask("POST", f"/v1/projects/techmate-web/rollback/{staged['id']}")
    again = vercel.ask("POST", f"/v1/projects/techmate-web/rollback/{live['id']}")
    assert (never.status_code, again.status_code) == (422, 409)
    assert vercel.shown() == live["id"]


@pytest.mark.parametrize("counts_staged", [False, True])
def test_hobby_goes_back_to_the_deployment_right_before(vercel: Client, counts_staged: bool) -> None:
    account = vercel.vercel.account
    account.plan, account.counts_staged = "hobby", counts_staged
    first, second = vercel.deploy(), vercel.deploy(content=PAGE + b"2")
    vercel.stage(content=PAGE + b"3")
    live = vercel.deploy(content=PAGE + b"4")
    assert live["plan"] == vercel.get("/v9/projects/techmate-web")["targets"]["production"]["plan"] == "hobby"
    query = {"projectId": live["projectId"], "rollbackCandidate": "true"}
    found = [each["uid"] for each in vercel.get("/v7/deployments", **query)["deployments"]]
    assert found == ([] if counts_staged else [second["id"]])
    further = vercel.ask("POST", f"/v1/projects/techmate-web/rollback/{first['id']}")
    assert (further.status_code, further.json()["error"]["code"]) == (402, "unprocessable_entity")
    assert vercel.shown() == live["id"]
    nearest = vercel.ask("POST", f"/v1/projects/techmate-web/rollback/{second['id']}")
    assert (nearest.status_code, vercel.shown()) == ((402, live["id"]) if counts_staged else (201, second["id"]))
    assert vercel.promote(first).status_code == 202
    vercel.clock.forward()
    assert vercel.shown() == first["id"]


def test_a_rolling_release_shows_a_share_of_the_visitors_first(vercel: Client) -> None:
    first, second = vercel.deploy(), vercel.stage(content=PAGE + b"2")
    vercel.vercel.account.project("techmate-web").rolling = 5000
    vercel.promote(second)
    vercel.clock.forward()
    assert vercel.get(f"/v13/deployments/{second['id']}")["readySubstate"] == "ROLLING"
    assert vercel.shown() == second["id"]
    assert vercel.get("/v9/projects/techmate-web")["lastAliasRequest"]["jobStatus"] == "in-progress"
    served = {id(vercel.vercel.serve("techmate.ai")) for _ in range(4)}
    assert len(served) == 2
    vercel.clock.forward(6)
    substates = [vercel.get(f"/v13/deployments/{each['id']}")["readySubstate"] for each in (first, second)]
    assert (substates, len({id(vercel.vercel.serve("techmate.ai")) for _ in range(4)})) == (["PROMOTED"] * 2, 1)
