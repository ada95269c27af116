"""Actions for people: lists, *Run workflow*, a run, *Review deployments*, run again, cancel."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rehearsal.github.identity import Identity
from rehearsal.github.runs.service import workflows
from rehearsal.runner.model import Run
from tests.rehearsal.github.pages.visitor import Visitor
from tests.rehearsal.github.scene import REPOSITORY, Person, Scene

BASE = f"/{REPOSITORY}/actions"
PRODUCTION = f"{BASE}/workflows/deploy-production.yml"
FORM = """name: Form
on:
  workflow_dispatch:
    inputs:
      version: {description: The tag to release, required: true}
      mode: {type: choice, options: [gentle, brave], default: brave}
      dry-run: {description: Only say what would happen, type: boolean, default: true}
      loud: {type: boolean}
      times: {type: number, default: 3}
      where: {type: environment}
jobs: {a: {runs-on: ubuntu-latest, steps: [{run: "true"}]}}
"""


def dispatch(scene: Scene, by: str = "dev-1") -> Run:
    """A run of the production workflow, under way."""
    service = scene.github.instance
    repository = service.repository(REPOSITORY)

    async def work() -> Run:
        workflow = await workflows.find(service, repository, "deploy-production.yml")
        by_whom = Identity(user=service.database.users[by])
        return await workflows.dispatch(
            service, repository, workflow, ref="main", inputs={"version": "v1.0.0"}, by=by_whom
        )

    return scene.run(work())


def waiting(scene: Scene, by: str = "dev-1", *, alone: bool = True) -> Run:
    """A run that waits before `production` for release-manager, who may not approve an own run if `alone`."""
    scene.do(
        scene.github.seed.environment,
        REPOSITORY,
        "production",
        reviewers=("release-manager",),
        prevent_self_review=alone,
    )
    run = dispatch(scene, by)
    scene.do(scene.runner.wait_for_review, run.id, ["release-manager"])
    return run


def test_a_workflow_is_run_with_its_inputs(dev_1: Visitor, scene: Scene) -> None:
    run = dev_1.press(dev_1.open(PRODUCTION), "Run workflow", **{"inputs.version": "v1.2.3"})
    assert f"{BASE}/runs/" in run.url
    event = scene.events("workflow_dispatch")[-1]
    assert event.actor == "dev-1"
    assert event.payload["inputs"] == {"version": "v1.2.3", "dry-run": "false"}
    assert "version: v1.2.3" in run.text


def test_every_kind_of_input_has_its_field(dev_1: Visitor, scene: Scene) -> None:
    scene.do(scene.github.seed.environment, REPOSITORY, "staging")
    scene.run(scene.github.seed.commit(REPOSITORY, {".github/workflows/form.yml": FORM}, message="form"))
    page = dev_1.open(f"{BASE}/workflows/form.yml")
    form, _ = page.form("Run workflow")
    assert {name: value for name, value in form.fields.items() if name != "csrf"} == {
        "ref": "main",
        "inputs.version": "",
        "inputs.mode": "brave",
        "inputs.dry-run": "true",
        "inputs.times": "3",
        "inputs.where": "staging",
    }
    fields = {given["name"]: given for tag, given in page.tags if given.get("name", "").startswith("inputs.")}
    assert "required" in fields["inputs.version"]
    assert "required" not in fields["inputs.times"]
    assert (fields["inputs.times"]["type"], fields["inputs.loud"]["type"]) == ("number", "checkbox")
    labels = [given["for"] for tag, given in page.tags if tag == "label"]
    assert all(given["id"] in labels for given in fields.values())
    assert "The tag to release" in page.text
    assert "Only say what would happen" in page.text


def test_what_the_form_says_is_what_the_workflow_gets(dev_1: Visitor, scene: Scene) -> None:
    """An unticked box is false, which no browser sends by itself."""
    page = dev_1.open(PRODUCTION)
    dev_1.press(page, "Run workflow", **{"inputs.version": "v1", "inputs.dry-run": "true"})
    assert scene.events("workflow_dispatch")[-1].payload["inputs"]["dry-run"] == "true"
    dev_1.press(page, "Run workflow", **{"inputs.version": "v1", "inputs.dry-run": None})
    assert scene.events("workflow_dispatch")[-1].payload["inputs"]["dry-run"] == "false"


def test_a_refusal_is_shown_in_the_form_with_what_was_entered(dev_1: Visitor) -> None:
    page = dev_1.press(
        dev_1.open(PRODUCTION), "Run workflow", status=422, **{"inputs.version": "v9", "inputs.surprise": "1"}
    )
    assert "Unexpected inputs provided: ['surprise']" in page.text
    form, _ = page.form("Run workflow")
    assert form.fields["inputs.version"] == "v9"
    assert any(tag == "dialog" and "open" in given for tag, given in page.tags)


def test_a_branch_without_the_workflow_says_so(dev_1: Visitor, scene: Scene, dev: Person) -> None:
    bare = dev.post(
        f"/repos/{REPOSITORY}/git/trees", {"tree": [{"path": "a", "mode": "100644", "type": "blob", "content": "x"}]}
    )
    commit = dev.post(f"/repos/{REPOSITORY}/git/commits", {"message": "bare", "tree": bare["sha"], "parents": []})
    dev.post(f"/repos/{REPOSITORY}/git/refs", {"ref": "refs/heads/bare", "sha": commit["sha"]})
    page = dev_1.open(f"{PRODUCTION}?ref=bare&dialog=open")
    assert "At bare this workflow is not there" in page.text
    assert page.form("Run workflow")[1].disabled


def test_only_those_who_may_write_run_workflows(on_call: Visitor, anyone: Visitor, scene: Scene) -> None:
    assert "Run workflow" not in on_call.open(PRODUCTION).buttons()
    assert "Running it takes write access." in on_call.open(PRODUCTION).text
    assert "Run workflow" not in anyone.open(PRODUCTION).buttons()
    form, _ = on_call.open("/techmate/platform/issues/new").form("Open issue")
    sent = {"csrf": form.fields["csrf"], "ref": "main", "inputs.version": "v1"}
    answer = on_call.web.post(f"{scene.url}{PRODUCTION}/dispatch", data=sent, timeout=30)
    assert "Must have push access to Repository." in answer.text
    assert scene.runner.events == []


def test_runs_are_listed_and_filtered(anyone: Visitor, scene: Scene) -> None:
    one, two = dispatch(scene), dispatch(scene, by="dev-2")
    scene.do(scene.runner.finish, one.id, "failure")
    page = anyone.open(BASE)
    assert page.text.count("Deploy to Production #") == 2
    assert "Deploy to Production" in page.links
    failed = anyone.open(f"{BASE}?status=failure")
    assert f"{BASE}/runs/{one.id}" in failed.html
    assert f"{BASE}/runs/{two.id}" not in failed.html
    assert "No run yet that fits the filter." in anyone.open(f"{BASE}?branch=nope").text
    assert "No run yet" in anyone.open(f"{BASE}/workflows/ci.yml").text


def test_long_lists_have_pages(anyone: Visitor, scene: Scene) -> None:
    for _ in range(27):
        dispatch(scene)
    page = anyone.open(f"{BASE}?event=workflow_dispatch")
    assert "Page 1 of 2" in page.text
    older = anyone.open(BASE + page.links["Older"])
    assert "event=workflow_dispatch" in older.url
    assert older.text.count("Deploy to Production #") == 2


def test_a_page_that_did_not_change_is_not_sent_again(anyone: Visitor, scene: Scene) -> None:
    run = dispatch(scene)
    for path in (
        BASE,
        f"{BASE}/runs/{run.id}",
        f"{BASE}/runs/{run.id}/job/{run.jobs[0].id}",
        f"/{REPOSITORY}/deployments",
    ):
        tag = anyone.open(path).headers["etag"]
        anyone.open(path, status=304, **{"if-none-match": tag})
        scene.do(scene.runner.finish, run.id) if path.endswith(str(run.jobs[0].id)) else None
    anyone.open(f"{BASE}/runs/{run.id}/job/{run.jobs[0].id}", **{"if-none-match": tag})


def test_a_reviewer_approves_with_a_comment(manager_browser: Visitor, scene: Scene) -> None:
    run = waiting(scene)
    page = manager_browser.open(f"{BASE}/runs/{run.id}")
    assert "Your review is asked for" in page.text
    after = manager_browser.press(page, "Approve and deploy", comment="v1.0.0 **may** go")
    (review,) = run.reviews
    assert (review.state, review.user, review.environments) == ("approved", "release-manager", ["production"])
    assert review.comment == "v1.0.0 **may** go"
    assert "Approved: production." in after.text
    assert "<strong>may</strong>" in after.html
    assert "Approve and deploy" not in after.buttons()


def test_a_reviewer_rejects(manager_browser: Visitor, scene: Scene) -> None:
    run = waiting(scene)
    manager_browser.press(manager_browser.open(f"{BASE}/runs/{run.id}"), "Reject", comment="not today")
    assert [(review.state, review.comment) for review in run.reviews] == [("rejected", "not today")]


def test_nobody_else_is_offered_a_review_nor_can_send_one(
    dev_2: Visitor, anyone: Visitor, manager_browser: Visitor, scene: Scene
) -> None:
    run = waiting(scene)
    page = dev_2.open(f"{BASE}/runs/{run.id}")
    assert "dev-2 is not a reviewer of production." in page.text
    assert not {"Review deployments", "Approve and deploy", "Reject"} & set(page.buttons())
    assert "Sign in to review." in anyone.open(f"{BASE}/runs/{run.id}").text
    csrf = page.form("Cancel workflow")[0].fields["csrf"]
    sent = {"csrf": csrf, "environment": "production", "state": "approved"}
    answer = dev_2.web.post(f"{scene.url}{BASE}/runs/{run.id}/review", data=sent, timeout=30)
    assert "dev-2 is not a required reviewer of production" in answer.text
    assert run.reviews == []


def test_who_started_a_run_is_reported_why_they_cannot_approve_it(manager_browser: Visitor, scene: Scene) -> None:
    run = waiting(scene, by="release-manager")
    page = manager_browser.open(f"{BASE}/runs/{run.id}")
    assert "release-manager started this run, and production does not allow self-review." in page.text
    assert "Approve and deploy" not in page.buttons()


def test_a_review_names_at_least_one_environment(manager_browser: Visitor, scene: Scene) -> None:
    run = waiting(scene)
    page = manager_browser.press(manager_browser.open(f"{BASE}/runs/{run.id}"), "Approve and deploy", environment=None)
    assert "Choose at least one environment to review." in page.text
    assert run.reviews == []


def test_an_administrator_lets_a_waiting_job_go_without_a_review(
    manager_browser: Visitor, scene: Scene, dev: Person
) -> None:
    run = waiting(scene, by="release-manager")
    page = manager_browser.open(f"{BASE}/runs/{run.id}")
    assert "Approve and deploy" not in page.buttons()
    after = manager_browser.press(page, "I understand the consequences, start deploying", comment="nobody is awake")
    assert "release-manager bypassed the rules of production" in after.text
    assert scene.runner.pending(run.id) == []
    (listed,) = dev.get(f"/repos/{REPOSITORY}/actions/runs/{run.id}/approvals")
    assert (listed["state"], listed["user"]["login"], listed["comment"]) == (
        "skipped",
        "release-manager",
        "nobody is awake",
    )


def test_nobody_bypasses_where_that_is_off_and_nobody_but_administrators(
    manager_browser: Visitor, dev_2: Visitor, scene: Scene
) -> None:
    run = waiting(scene)
    assert "Start all waiting jobs" not in dev_2.open(f"{BASE}/runs/{run.id}").buttons()
    offered = manager_browser.open(f"{BASE}/runs/{run.id}")
    scene.github.instance.repository(REPOSITORY).environments["production"].admins_bypass = False
    refused = manager_browser.press(offered, "I understand the consequences, start deploying")
    assert "Administrators may not bypass the protection rules of production." in refused.text
    assert "Start all waiting jobs" not in refused.buttons()
    csrf = dev_2.open(f"{BASE}/runs/{run.id}").form("Cancel workflow")[0].fields["csrf"]
    sent = {"csrf": csrf, "environment": "production"}
    dev_2.web.post(f"{scene.url}{BASE}/runs/{run.id}/bypass", data=sent, timeout=30)
    assert run.reviews == []
    assert scene.runner.pending(run.id) != []


def test_a_run_is_cancelled(dev_1: Visitor, scene: Scene) -> None:
    run = dispatch(scene)
    page = dev_1.press(dev_1.open(f"{BASE}/runs/{run.id}"), "Cancel workflow")
    assert run.conclusion == "cancelled"
    assert "Cancelled" in page.text
    assert "Cancel workflow" not in page.buttons()


def test_failed_jobs_run_again_and_earlier_attempts_stay_to_be_seen(dev_2: Visitor, scene: Scene) -> None:
    run = dispatch(scene)
    scene.do(scene.runner.finish, run.id, "failure", ("it broke",))
    first = run.jobs[0]
    page = dev_2.press(dev_2.open(f"{BASE}/runs/{run.id}"), "Re-run failed jobs")
    assert run.attempt == 2
    assert run.triggering_actor == "dev-2"
    assert "Attempt 2 of 2" in page.text
    assert f"job/{first.id}" not in page.html
    earlier = dev_2.open(f"{BASE}/runs/{run.id}/attempts/1")
    assert f"job/{first.id}" in earlier.html
    assert "Re-run all jobs" not in earlier.buttons()
    dev_2.open(f"{BASE}/runs/{run.id}/attempts/3", status=404)


def test_a_success_offers_to_run_all_again_only(dev_1: Visitor, scene: Scene) -> None:
    run = dispatch(scene)
    scene.do(scene.runner.finish, run.id)
    page = dev_1.open(f"{BASE}/runs/{run.id}")
    assert "Re-run failed jobs" not in page.buttons()
    dev_1.press(page, "Re-run all jobs")
    assert run.attempt == 2


def test_an_old_run_offers_no_further_attempt(dev_1: Visitor, scene: Scene) -> None:
    run = dispatch(scene)
    scene.do(scene.runner.finish, run.id, "failure")
    page = dev_1.open(f"{BASE}/runs/{run.id}")
    scene.clock.time += timedelta(days=31)
    assert not {"Re-run failed jobs", "Re-run all jobs"} & set(dev_1.open(f"{BASE}/runs/{run.id}").buttons())
    assert "created over a month ago" in dev_1.press(page, "Re-run all jobs").text
    assert run.attempt == 1


def test_a_form_that_came_too_late_says_why(dev_1: Visitor, scene: Scene) -> None:
    run = dispatch(scene)
    page = dev_1.open(f"{BASE}/runs/{run.id}")
    scene.do(scene.runner.finish, run.id)
    after = dev_1.press(page, "Cancel workflow")
    assert "Cannot cancel a workflow run that is completed." in after.text
    dev_1.press(after, "Re-run all jobs")
    late = dev_1.press(after, "Re-run all jobs")
    assert "This workflow is already running" in late.text


def test_readers_are_offered_nothing_they_may_not_do(on_call: Visitor, scene: Scene) -> None:
    run = dispatch(scene)
    assert set(on_call.open(f"{BASE}/runs/{run.id}").buttons()) == {"Sign out"}
    scene.do(scene.runner.finish, run.id, "failure")
    assert set(on_call.open(f"{BASE}/runs/{run.id}").buttons()) == {"Sign out"}


def test_a_run_that_could_not_start_says_why(anyone: Visitor, scene: Scene) -> None:
    run = dispatch(scene)
    run.status, run.conclusion, run.jobs = "completed", "startup_failure", []
    run.error = ".github/workflows/x.yml: line 3: <b>mapping</b> values are not allowed here"
    page = anyone.open(f"{BASE}/runs/{run.id}")
    assert "This run did not start" in page.text
    assert run.error in page.text


@pytest.mark.parametrize(("conclusion", "word"), [("success", "success"), ("failure", "failure"), (None, "no runs")])
def test_the_badge_says_how_the_last_run_ended(
    anyone: Visitor, scene: Scene, conclusion: str | None, word: str
) -> None:
    if conclusion is not None:
        scene.do(scene.runner.finish, dispatch(scene).id, conclusion)
    answer = anyone.web.get(f"{scene.url}/{REPOSITORY}/workflows/Deploy to Production/badge.svg", timeout=30)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert f"Deploy to Production: {word}" in answer.text
