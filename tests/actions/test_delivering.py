"""The actions of a delivery as the steps of the workflows' jobs: what they put out, hand over, and what a person reads of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions import mark_stable
from pipelines.delivery import proof
from pipelines.images import pack_layout
from pipelines.overlay import Overlay
from rehearsal.emulators.slack.app import Slack
from rehearsal.runner.model import Run
from rehearsal.serving import running
from tests.actions.workplace import KEPT, Workplace, workplace
from tests.memory_hosts import Killed
from tests.shop import COMPONENTS, REPOSITORY, Shop, open_shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

HOOK = "https://hooks.slack.com/services/T1/B1/secret"


@pytest.fixture
def at(tmp_path: Path, step: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    with open_shop(tmp_path / "shop") as shop, workplace(shop, step, monkeypatch) as made:
        shop.reviewers("release-manager", "on-call")
        # No image is assembled here: a layout is a layout, whatever is in it.
        monkeypatch.setattr("pipelines.images.build_layout", layout_of_the_source)
        yield made


def layout_of_the_source(_component: Any, root: Path, commit: str, *, output: Path, **_: Any) -> str:
    folder = output.parent / "image"
    folder.mkdir(exist_ok=True)
    (folder / "commit").write_text(commit)
    return pack_layout(folder, output)


def serving(shop: Shop, environment: str) -> list[dict[str, int]]:
    return [shop.host(environment, component).serving() for component in COMPONENTS]


def proved(at: Workplace, version: str) -> str:
    """A commit that went through CI and staging, and is tagged."""
    commit = at.shop.commit(f"feat: {version}", files={"apps/web/dist/index.html": version})
    at.shop.check(commit)
    at.stage(commit)
    at.shop.tag(version, commit)
    return commit


def released(at: Workplace, version: str) -> str:
    commit = proved(at, version)
    run, planned = at.plan(version)
    approved = at.approve(run, planned)
    at.deploy(run, planned, approved)
    at.go_live(run, planned, approved)
    at.publish(run, planned, approved)
    at.shop.end(run, "success")
    return commit


# staging ----------------------------------------------------------------------------------------------------------------


def test_a_commit_goes_through_staging_and_leaves_a_proof(at: Workplace) -> None:
    commit = at.shop.commit("feat: more", files={"apps/web/dist/index.html": "more"})
    run = at.stage(commit)
    release = f"sha-{commit[:7]}"
    assert serving(at.shop, "staging") == [{release: 100}, {release: 100}]
    (kept,) = run.artifacts
    written = json.loads((Path(kept.path) / "proof.json").read_text())
    digests = {
        name: identity.digest
        for name in COMPONENTS
        if (identity := at.shop.host("staging", name).deployments[0].identity)
    }
    assert {name: ref.partition("@")[2] for name, ref in written["artifacts"].items()} == digests
    assert (written["commit"], written["environment"], written["run"]) == (commit, "staging", str(run.id))
    assert written["definition"] == at.shop.definition(commit)
    (record,) = at.shop.ledger().records("staging")
    assert record.events[0].text == f"{release} is proved"
    for component in COMPONENTS:
        assert len(at.shop.host("staging", component).marks.stable) == 1


def test_no_component_is_deployed_where_one_could_not_be_checked(at: Workplace) -> None:
    at.shop.host("staging", "web").closed = True
    with pytest.raises(AssertionError, match="nothing lets checks see a candidate"):
        at.stage(at.shop.commit("feat: more"))
    assert [at.shop.host("staging", component).deployments for component in COMPONENTS] == [[], []]


def test_what_each_job_of_staging_puts_out_and_shows(at: Workplace) -> None:
    commit = at.shop.commit("feat: more")
    run = at.shop.workflow("deploy-staging.yml", "Deploy to Staging", "deploy", commit=commit)
    at.job(run, commit, GITHUB_EVENT_NAME="push", GITHUB_REF="refs/heads/main", GITHUB_SHA=commit)
    assert at.act("plan_staging", environment="staging") == {
        "state": "to do",
        "commit": commit,
        "components": '["backend", "web"]',
        "builds": '[{"component": "backend", "node": ""}, {"component": "web", "node": ""}]',
        "browser_tests": "false",
        "url": "https://staging.techmate.ai",
    }
    built = at.act("build_component", component="web")
    assert built["folder"] == "build/delivery/layouts/web"
    assert at.summary.strip() == f"**web** is built: `{built['digest']}`"
    given = {"environment": "staging", "commit": commit}
    outputs = at.act("deploy_component", component="web", **given)
    (deployed,) = at.shop.host("staging", "web").deployments
    assert outputs == {"key": deployed.key, "url": deployed.url}
    assert deployed.traffic == 0
    assert "is deployed without traffic" in at.summary
    assert "| 1 check of the candidate at its own address | 1 checks passed" in at.summary
    (result,) = (KEPT / "deployed").iterdir()
    assert json.loads(result.read_text())["reference"].endswith(f"@{built['digest']}")
    at.act("build_component", component="backend")
    at.act("deploy_component", component="backend", **given)
    assert at.act("go_live", **given) == {"state": "live", "passed": "3"}
    assert "### staging from outside" in at.summary
    assert "the page is this release" in at.summary
    assert Path("reports/smoke.xml").read_text().count("<testcase") == 3
    assert at.act("mark_stable", **given)["name"] == f"proof-staging-{commit}"


def test_a_push_for_which_a_newer_one_waits_steps_aside_and_can_be_deployed_on_purpose(at: Workplace) -> None:
    older, newer = at.shop.commit("feat: a"), at.shop.commit("feat: b")
    first = at.shop.workflow("deploy-staging.yml", "Deploy to Staging", "plan", commit=older)
    at.shop.workflow("deploy-staging.yml", "Deploy to Staging", "plan", commit=newer)
    at.job(first, older, GITHUB_EVENT_NAME="push", GITHUB_REF="refs/heads/main", GITHUB_SHA=older)
    assert at.act("plan_staging", environment="staging") == {"state": "superseded"}
    assert at.summary.startswith(f"### ⏭️ `{older[:7]}` is superseded by `{newer[:7]}`")
    asked = at.shop.workflow(
        "deploy-staging.yml", "Deploy to Staging", proof.JOB, commit=newer, event="workflow_dispatch"
    )
    asked.title = f"Deploy {older} to staging"
    event = at.shop.folder / "event.json"
    event.write_text(json.dumps({"inputs": {"commit": older}}))
    at.stage(
        older,
        {"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_SHA": newer, "GITHUB_EVENT_PATH": str(event)},
        run=asked,
    )
    assert {each.identity.commit for each in at.shop.host("staging", "web").deployments if each.identity} == {older}
    at.shop.check(older)
    at.shop.tag("v1.0.0", older)
    _, planned = at.plan("v1.0.0")
    assert planned["commit"] == older, "a release may be made of it"


def test_another_commit_than_the_events_is_not_deployed(at: Workplace) -> None:
    older, newer = at.shop.commit("feat: a"), at.shop.commit("feat: b")
    run = at.shop.workflow("deploy-staging.yml", "Deploy to Staging", "deploy", commit=newer)
    at.job(run, older, GITHUB_EVENT_NAME="push", GITHUB_REF="refs/heads/main", GITHUB_SHA=newer)
    at.act("plan_staging", code=6, environment="staging")
    assert f"{older[:7]} is checked out, not {newer[:7]}" in at.step.log
    at.act("mark_stable", code=4, environment="staging", commit=newer)
    assert "no component was deployed" in at.step.log


BROWSER_TESTS = """browser_tests:
  run: [python3 e2e.py]
  report: e2e.xml
  env: {SEEN: "{url of web} {release}"}
"""
SCRIPT = """import os
print(os.environ["SEEN"])
failed = "<failure/>" * %d
open("e2e.xml", "w").write(f"<testsuite><testcase name='a'>{failed}</testcase></testsuite>")
"""


def test_browser_tests_of_the_release_run_against_staging_and_stop_the_proof(at: Workplace) -> None:
    files = {"shipmate.yml": MANIFEST + BROWSER_TESTS}
    commit = at.shop.commit("feat: tests", files={**files, "e2e.py": SCRIPT % 0})
    at.stage(commit)
    commit = at.shop.commit("feat: a bad one", files={**files, "e2e.py": SCRIPT % 1})
    at.job(at.shop.start(), commit)
    at.act("run_e2e", code=7, environment="staging")
    assert f"https://staging.techmate.ai sha-{commit[:7]}" in at.step.log
    assert "1 of 1 browser tests failed: a" in at.step.log


def test_a_release_without_browser_tests_has_no_job_for_them(at: Workplace) -> None:
    commit = at.shop.commit("feat: none")
    at.job(at.shop.start(), commit)
    at.act("run_e2e", code=4, environment="staging")
    assert "the release has no browser tests" in at.step.log


# production -------------------------------------------------------------------------------------------------------------


def test_a_release_is_planned_approved_deployed_live_and_published(at: Workplace) -> None:
    commit = proved(at, "v1.0.0")
    run, planned = at.plan("v1.0.0")
    assert {**planned, "plan": ""} == {
        "version": "v1.0.0",
        "commit": commit,
        "components": '["backend", "web"]',
        "plan": "",
        "state": "to do",
        "browser_tests": "false",
        "url": "https://techmate.ai",
    }
    assert f"plan `{planned['plan']}`" in at.summary
    assert "### What will happen" in at.summary
    approved = at.approve(run, planned)
    assert approved["approved_by"] == "release-manager"
    assert f"approved by **release-manager** for plan `{planned['plan']}`" in at.summary
    assert serving(at.shop, "production") == [{}, {}]
    at.deploy(run, planned, approved)
    assert serving(at.shop, "production") == [{}, {}]
    at.go_live(run, planned, approved)
    assert serving(at.shop, "production") == [{"v1.0.0": 100}, {"v1.0.0": 100}]
    url = at.publish(run, planned, approved)
    assert url == f"https://github.test/{REPOSITORY}/releases/tag/v1.0.0"
    published = at.shop.person("dev-1").get(f"/repos/{REPOSITORY}/releases/latest")
    assert published["tag_name"] == "v1.0.0"
    identity = at.shop.host("production", "web").deployments[0].identity
    staged = at.shop.host("staging", "web").deployments[0].identity
    assert identity is not None
    assert staged is not None
    assert (identity.approved, identity.commit) == ("release-manager", commit)
    assert identity.digest == staged.digest, "what staging proved is what production runs"
    (record,) = at.shop.ledger().records("production")
    words = [event.text.partition(":")[0] for event in reversed(record.events)]
    assert words == [
        "planned v1.0.0",
        "approved by release-manager",
        "v1.0.0 goes live",
        "v1.0.0 is live, 3 checks passed",
    ]
    again = at.plan("v1.0.0")[1]
    assert again["state"] == "done already"


def test_jobs_refuse_what_was_not_approved(at: Workplace) -> None:
    released(at, "v1.0.0")
    proved(at, "v1.1.0")
    run, planned = at.plan("v1.1.0")
    approved = at.approve(run, planned)
    at.shop.writes.seen.clear()
    for changed, code, message in (
        ({"plan": "0" * 64}, 6, "the plan is not the one that was approved"),
        ({"approved_until": "2020-01-01T00:00:00+00:00"}, 6, "approv"),
    ):
        at.releasing(run, planned)
        at.act("deploy_component", code=code, component="web", **{**approved, **changed})
        assert message in at.step.log
    at.releasing(run, planned)
    (KEPT / "plan.json").write_text((KEPT / "plan.json").read_text().replace('"percent":10', '"percent":50'))
    at.act("go_live", code=6, **approved)
    assert "not the one that was approved" in at.step.log
    at.job(run, at.shop.head("main"))
    (KEPT).mkdir(parents=True)
    at.act("go_live", code=4, **approved)
    assert "there is no plan" in at.step.log
    at.shop.commit("feat: after the plan")
    at.job(run, at.shop.head("main"))
    at.get("plan", KEPT)
    at.act("deploy_component", code=6, component="web", **approved)
    assert "is checked out, not" in at.step.log
    assert not [write for write in at.shop.writes.seen if write.startswith(("stage", "shift", "mark"))]
    assert serving(at.shop, "production") == [{"v1.0.0": 100}, {"v1.0.0": 100}]


def test_two_that_were_approved_at_once_the_newer_goes_live_and_the_older_steps_aside(at: Workplace) -> None:
    released(at, "v1.0.0")
    runs = []
    for version in ("v1.1.0", "v1.2.0"):
        proved(at, version)
        run, planned = at.plan(version)
        approved = at.approve(run, planned)
        at.deploy(run, planned, approved)
        runs.append((run, planned, approved))
    older, newer = runs
    at.go_live(*newer)
    at.releasing(*older[:2])
    at.shop.writes.seen.clear()
    assert at.act("go_live", **older[2]) == {"state": "superseded"}
    assert "v1.1.0 is superseded by v1.2.0" in at.summary
    assert (serving(at.shop, "production"), at.shop.writes.seen) == ([{"v1.2.0": 100}, {"v1.2.0": 100}], [])


def test_an_approval_that_grows_old_ends_no_delivery_that_was_begun_in_time(at: Workplace) -> None:
    """A re-run of its job begins anew."""
    released(at, "v1.0.0")
    proved(at, "v1.1.0")
    run, planned = at.plan("v1.1.0")
    approved = {**at.approve(run, planned)}
    at.deploy(run, planned, approved)
    late = {**approved, "approved_until": "2020-01-01T00:00:00+00:00"}
    at.releasing(run, planned)
    assert at.act("go_live", **late)["state"] == "live"
    run.attempt = 2
    at.releasing(run, planned)
    at.act("go_live", code=6, **late)
    assert "approv" in at.step.log


def test_a_bad_release_returns_to_its_base_and_everybody_is_reported(at: Workplace) -> None:
    released(at, "v1.0.0")
    proved(at, "v1.1.0")
    at.shop.host("production", "web").sick.add("v1.1.0")
    run, planned = at.plan("v1.1.0")
    approved = at.approve(run, planned)
    at.deploy(run, planned, approved)
    at.go_live(run, planned, approved, code=7)
    assert "the page is this release" in at.step.commands("error")[0]
    assert "❌" in at.summary
    assert at.roll_back(run, planned, approved) == {"release": "v1.0.0", "was": "v1.1.0", "changed": "true"}
    assert "### ↩️ production is back to v1.0.0 (was v1.1.0)" in at.summary
    assert "| backend | give all traffic to v1.0.0" in at.summary
    assert serving(at.shop, "production") == [{"v1.0.0": 100}, {"v1.0.0": 100}]
    assert at.roll_back(run, planned, approved) == {"release": "v1.0.0", "was": "", "changed": "false"}
    assert "production serves v1.0.0; there was nothing to roll back." in at.summary


READ_ONLY = """browser_tests:
  run: ["true", python3 e2e.py]
  read_only: [python3 e2e.py]
  report: e2e.xml
  env: {SEEN: "{release}"}
"""
LOOKING = """import json, os
given = [json.loads(os.environ.get(name, "{}")) for name in ("E2E_ROUTES", "E2E_ROUTE_HEADERS")]
print("SEEN", json.dumps([os.environ["SEEN"], *given]))
where = "staging" if os.environ["SEEN"].startswith("sha-") else "candidate" if given[0] else "live"
failed = "<failure/>" * (where == %r)
open("e2e.xml", "w").write(f"<testsuite><testcase name='a'>{failed}</testcase></testsuite>")
"""


def approved_with_tests(at: Workplace, failing: str = "") -> tuple[Run, dict[str, str], dict[str, str]]:
    """v1.0.0 is live; v1.1.0 is approved and deployed, whose browser tests fail there: `candidate` or `live`."""
    released(at, "v1.0.0")
    files = {"shipmate.yml": MANIFEST + READ_ONLY, "e2e.py": LOOKING % failing}
    commit = at.shop.commit("feat: tests", files=files)
    at.shop.check(commit)
    at.stage(commit)
    at.shop.tag("v1.1.0", commit)
    run, planned = at.plan("v1.1.0")
    assert planned["browser_tests"] == "true"
    approved = at.approve(run, planned)
    at.deploy(run, planned, approved)
    return run, planned, approved


def seen(at: Workplace) -> list[Any]:
    """What the tests were given: release, routes, headers."""
    (line,) = [line for line in at.step.log.splitlines() if line.startswith("SEEN ")]
    found: list[Any] = json.loads(line.removeprefix("SEEN "))
    return found


def test_a_browser_looks_at_the_candidates_and_then_at_production(at: Workplace) -> None:
    run, planned, approved = approved_with_tests(at)
    assert at.browse(run, planned, candidates=True) == {"verdict": "passed"}
    release, routes, headers = seen(at)
    own = {name: at.shop.host("production", name).deployments[0].url for name in COMPONENTS}
    public = {"backend": "https://api.techmate.ai", "web": "https://techmate.ai"}
    assert (release, routes) == ("v1.1.0", {public[name]: own[name] for name in COMPONENTS})
    assert headers == {own["web"]: {"x-vercel-protection-bypass": "***"}}, (
        "for the preview at Vercel alone, and hidden in the log"
    )
    assert "### Browser tests of the candidate v1.1.0" in at.summary
    assert serving(at.shop, "production") == [{"v1.0.0": 100}, {"v1.0.0": 100}]
    at.go_live(run, planned, approved)
    assert at.browse(run, planned) == {"verdict": "passed"}
    assert seen(at) == ["v1.1.0", {}, {}]
    assert "### Browser tests of production" in at.summary


def test_a_candidate_that_fails_in_a_browser_has_no_traffic_to_take_back(at: Workplace) -> None:
    run, planned, approved = approved_with_tests(at, "candidate")
    assert at.browse(run, planned, code=7, candidates=True) == {"verdict": "failed"}
    assert at.roll_back(run, planned, approved) == {"release": "v1.0.0", "was": "", "changed": "false"}
    assert serving(at.shop, "production") == [{"v1.0.0": 100}, {"v1.0.0": 100}]


def test_what_a_browser_finds_in_production_takes_the_release_back_and_a_re_run_says_that_it_is_not_live(
    at: Workplace,
) -> None:
    run, planned, approved = approved_with_tests(at, "live")
    at.browse(run, planned, candidates=True)
    at.go_live(run, planned, approved)
    assert at.browse(run, planned, code=7) == {"verdict": "failed"}
    assert at.roll_back(run, planned, approved) == {"release": "v1.0.0", "was": "v1.1.0", "changed": "true"}
    assert serving(at.shop, "production") == [{"v1.0.0": 100}, {"v1.0.0": 100}]
    assert at.browse(run, planned, code=7) == {"verdict": "not live"}
    (error,) = at.step.commands("error")
    assert "v1.1.0 is not what production serves now" in error
    assert "the page is this release" in error, error
    assert "start the workflow again" in error
    assert "SEEN" not in at.step.log


def test_tests_that_could_not_run_say_nothing_of_what_is_live(at: Workplace) -> None:
    run, planned, approved = approved_with_tests(at)
    at.go_live(run, planned, approved)
    at.job(run, planned["commit"])
    Path("source/e2e.py").write_text("raise SystemExit(3)")
    assert at.act("run_e2e", code=7, environment="production", version="v1.1.0", read_only="true") == {}
    assert "the browser tests did not run" in at.step.log


def test_without_the_addresses_of_candidates_nothing_is_tested(at: Workplace) -> None:
    run, planned, _ = approved_with_tests(at)
    at.uploads.clear()
    assert at.browse(run, planned, code=4, candidates=True) == {}
    assert "no component was deployed" in at.step.log


def test_killed_in_the_middle_the_run_is_taken_up_again(at: Workplace) -> None:
    """*Re-run failed jobs*: the same plan, a new attempt."""
    released(at, "v1.0.0")
    proved(at, "v1.1.0")
    run, planned = at.plan("v1.1.0")
    approved = at.approve(run, planned)
    at.deploy(run, planned, approved)
    at.shop.writes.kill_at(4, after_effect=True)
    with pytest.raises(Killed):
        at.go_live(run, planned, approved)
    at.shop.writes.spare()
    assert serving(at.shop, "production")[0] == {"v1.1.0": 10, "v1.0.0": 90}
    at.go_live(run, planned, approved)
    assert serving(at.shop, "production") == [{"v1.1.0": 100}, {"v1.1.0": 100}]
    assert [at.shop.host("production", component).staged("v1.1.0") for component in COMPONENTS] == [1, 1]


def test_a_rollback_by_the_workflow_says_what_is_live_and_was(at: Workplace) -> None:
    for version in ("v1.0.0", "v1.1.0"):
        at.shop.live(version, at.shop.head("main"))
    at.job(at.shop.start())
    assert at.act("rollback", environment="production") == {"release": "v1.0.0", "was": "v1.1.0", "changed": "true"}
    assert "### ↩️ production is back to v1.0.0 (was v1.1.0)" in at.summary
    assert at.act("rollback", environment="production", components="web, backend", to="v1.1.0") == {
        "release": "v1.1.0",
        "was": "v1.0.0",
        "changed": "true",
    }
    at.act("rollback", code=4, environment="production", components="desktop")


def test_what_is_reported_stands_in_the_summary(at: Workplace) -> None:
    slack = Slack(webhooks={"T1/B1/secret": "deployments"})
    at.job(at.shop.start())
    with running(slack.app) as server:
        at.http.overlay = Overlay(hosts=dict.fromkeys(slack.hosts, server.url), time_scale=0.0)
        needs = json.dumps({"deploy": {"result": "failure"}})
        given = {"environment": "production", "version": "v1.0.0", "needs": needs, "slack_webhook": HOOK}
        assert at.act("notify", **given) == {}
    assert at.summary.strip() == "📣 v1.0.0 to production failed — notified by slack"
    assert "v1.0.0 to production failed" in slack.messages[0].text


def test_everything_that_is_missing_is_named_at_once(at: Workplace) -> None:
    at.job(at.shop.start())
    at.step.environ.pop("IN_TOKEN")
    assert at.step.run(mark_stable.main) == 5
    assert "not given: environment, commit, token" in at.step.log
