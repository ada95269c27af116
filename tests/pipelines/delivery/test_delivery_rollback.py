"""The way back by command: together, by the providers' own state and marks, finished wherever it was killed, with GitHub or without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipelines.delivery.context import Context
from pipelines.delivery.rollback import Facts, Request, Result, plan, preview, roll_back
from pipelines.delivery.steps.mark_failed import MarkFailed
from pipelines.errors import InputError, RefusedError
from pipelines.faults import Policy
from pipelines.github import GitHub
from pipelines.ledger import Ledger
from pipelines.roles import Deployed, Identity, Live, Marks
from release.publishing.state import WITHDRAWN
from tests.memory_hosts import Killed
from tests.shop import COMPONENTS, REPOSITORY, Shop

pytestmark = pytest.mark.world

MOST_WRITES = 20


@pytest.fixture
def life(shop: Shop) -> Shop:
    """Three releases, the last of them live."""
    for version in ("v1.0.0", "v1.1.0", "v1.2.0"):
        release(shop, version)
    return shop


def release(shop: Shop, version: str) -> None:
    """Live and stable, and written down for people."""
    shop.live(version, head(shop))
    given: dict[str, Any] = {"environment": "production", "release": version, "commit": head(shop), "run_id": ""}
    digests = {name: reference.rpartition("@")[2] for name, reference in shop.artifacts(head(shop)[:12]).items()}
    record = shop.ledger().open(**given, artifacts=digests, run="by hand")
    shop.ledger().note(record, "success", f"{version} is live")
    shop.writes.seen.clear()


def head(shop: Shop) -> str:
    return shop.github.instance.git(shop.github.instance.repository(REPOSITORY)).refs["refs/heads/main"]


def back(shop: Shop, run: Any = None, **request: Any) -> Result:
    return roll_back(shop.context("production", run), Request(**request))


def serving(shop: Shop) -> list[dict[str, int]]:
    return [shop.host("production", component).serving() for component in COMPONENTS]


def both(release: str) -> list[dict[str, int]]:
    return [{release: 100}, {release: 100}]


def ledger(shop: Shop) -> list[tuple[str, str, str]]:
    return [(r.task.removeprefix("shipmate"), r.release, r.state) for r in shop.ledger().records("production")]


def test_both_components_go_back_together_and_the_ledger_knows(life: Shop) -> None:
    rolled = back(life)
    assert (rolled.release, rolled.was, rolled.changed) == ("v1.1.0", "v1.2.0", True)
    assert [(done.step.component, done.step.name) for done in rolled.done] == [
        (component, name)
        for name in ("mark-failed", "restore", "verify-live", "mark-restored")
        for component in COMPONENTS
    ]
    assert serving(life) == both("v1.1.0")
    assert ledger(life)[:3] == [
        (":rollback", "v1.1.0", "success"),
        ("", "v1.2.0", "inactive"),
        ("", "v1.1.0", "success"),
    ]
    for marks in (life.host("production", component).marks for component in COMPONENTS):
        assert [key.rpartition("-")[0] for key in marks.stable] == ["v1-1-0", "v1-2-0", "v1-0-0"]
        assert (marks.failed, marks.restoring) == ({"v1.2.0": "rolled back to v1.1.0"}, "")


@pytest.mark.parametrize("request_", [{}, {"to": "v1.1.0"}], ids=["again", "by name"])
def test_asked_again_it_changes_nothing_and_says_so(life: Shop, request_: dict[str, str]) -> None:
    back(life)
    before = ledger(life)
    life.writes.seen.clear()
    rolled = back(life, **request_)
    assert (rolled.release, rolled.was, rolled.changed) == ("v1.1.0", "v1.1.0", False)
    assert (serving(life), life.writes.seen, ledger(life)) == (both("v1.1.0"), [], before)
    assert ("name it with --to" in life.log.getvalue()) == (not request_)


def test_further_back_by_name_and_forward_again(life: Shop) -> None:
    back(life)
    assert back(life, to="v1.0.0").changed
    assert serving(life) == both("v1.0.0")
    assert back(life, to="v1.2.0").changed
    assert serving(life) == both("v1.2.0")
    assert ledger(life)[0] == (":rollback", "v1.2.0", "success")
    assert back(life, to="v1.0.0").changed
    assert back(life, to="v1.2.0").changed
    assert back(life).release == "v1.0.0", "where it was stable last; v1.1.0 was rolled back, v1.0.0 is good again"


def test_one_component_alone(life: Shop) -> None:
    assert back(life, components=("web",)).release == "v1.1.0"
    assert serving(life) == [{"v1.2.0": 100}, {"v1.1.0": 100}]
    assert ledger(life)[1] == ("", "v1.2.0", "success"), "the backend has it still"
    assert back(life).release == "v1.1.0"
    assert serving(life) == both("v1.1.0")


def test_a_release_that_is_bad_in_the_middle_of_a_shift(life: Shop) -> None:
    backend, web = (life.host("production", component) for component in COMPONENTS)
    backend.put("v1.3.0", head(life), "sha256:x")
    backend.marks = replace(backend.marks, stable=backend.marks.stable[1:])
    backend.shift(backend.deployments[1].key, 90)
    assert serving(life) == [{"v1.3.0": 10, "v1.2.0": 90}, {"v1.2.0": 100}]
    rolled = back(life)
    assert (rolled.release, rolled.was) == ("v1.2.0", "v1.3.0")
    assert serving(life) == both("v1.2.0")
    assert web.marks.stable[0].startswith("v1-2-0")
    assert "v1.3.0" in backend.marks.failed


def test_the_plan_says_how_a_provider_gives_the_traffic_back(life: Shop) -> None:
    """Before the first component moves: one of them may have two ways."""
    web = life.host("production", "web")
    web.deployments = [replace(d, back_by="by promoting it again") for d in web.deployments]
    steps = [step for step, _ in preview(life.context("production"), Request(to="v1.0.0"))]
    values = {step.component: step.says for step in steps if step.name == "restore"}
    assert values["web"].endswith("), by promoting it again")
    assert values["backend"].endswith(")")


# killed -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("job", [False, True], ids=["terminal", "job"])
def test_killed_at_any_write_the_next_run_ends_at_the_same_release(life: Shop, job: bool, after_effect: bool) -> None:
    """Never one further, and never forward to the bad one."""
    for number in range(1, MOST_WRITES):
        version = f"v1.{number + 2}.0"
        good = next(iter(serving(life)[0]))
        release(life, version)
        run = life.start() if job else None
        life.writes.kill_at(number, after_effect=after_effect)
        try:
            back(life, run)
            killed = False
        except Killed:
            killed = True
        life.writes.spare()
        back(life, run)
        assert serving(life) == both(good), (number, life.writes.seen)
        for component in COMPONENTS:
            marks = life.host("production", component).marks
            assert (version in marks.failed, marks.restoring) == (True, ""), (number, component)
            assert marks.stable[0].startswith(good.replace(".", "-"))
        if not killed:
            break
    assert number > 6


def test_killed_without_github_the_next_run_ends_at_the_same_release(life: Shop) -> None:
    """The providers' own marks are enough."""
    for number in range(1, 7):
        version = f"v1.{number + 2}.0"
        good = next(iter(serving(life)[0]))
        release(life, version)
        life.writes.kill_at(number, after_effect=True)
        with pytest.raises(Killed):
            alone(life)
        life.writes.spare()
        alone(life)
        assert serving(life) == both(good)


def test_one_that_was_killed_is_finished_even_when_something_else_is_known_by_then(life: Shop) -> None:
    """Where it was going is written at the providers, before any traffic moves."""
    life.writes.kill_at(6, after_effect=True)
    with pytest.raises(Killed):
        back(life)
    life.writes.spare()
    assert {life.host("production", c).marks.restoring for c in COMPONENTS} == {"v1.1.0"}
    withdraw(life, "v1.1.0")
    assert back(life).release == "v1.1.0", "half of it is there"
    assert back(life, to="v1.0.0").release == "v1.0.0"


def test_a_name_goes_before_where_a_killed_one_was_going(life: Shop) -> None:
    life.writes.kill_at(4, after_effect=True)
    with pytest.raises(Killed):
        back(life)
    life.writes.spare()
    assert back(life, to="v1.0.0").release == "v1.0.0"
    assert {life.host("production", c).marks.restoring for c in COMPONENTS} == {""}


def alone(shop: Shop) -> Result:
    context = shop.context("production")
    context.github = None
    return roll_back(context, Request())


def test_a_new_run_finishes_what_another_began(life: Shop) -> None:
    life.writes.kill_at(4, after_effect=True)
    run = life.start()
    with pytest.raises(Killed):
        back(life, run)
    life.writes.spare()
    life.end(run)
    assert back(life, life.start()).release == "v1.1.0"
    assert serving(life) == both("v1.1.0")


def test_an_old_run_that_is_started_again_decides_anew(life: Shop) -> None:
    run = life.start()
    back(life, run)
    life.end(run, "success")
    release(life, "v1.3.0")
    assert back(life, life.again(run)).was == "v1.3.0"
    assert serving(life) == both("v1.1.0"), "v1.2.0 was rolled back, so it is not gone back to"


def withdraw(shop: Shop, version: str) -> None:
    body = {"tag_name": version, "body": f"{WITHDRAWN}\n> broken"}
    shop.person("release-manager").post(f"/repos/{REPOSITORY}/releases", body)


def test_a_withdrawn_release_is_passed_over_unless_it_is_named(life: Shop) -> None:
    withdraw(life, "v1.1.0")
    assert back(life).release == "v1.0.0"
    assert "v1.1.0 was withdrawn: only --to v1.1.0 goes back to it" in life.log.getvalue()
    assert back(life, to="v1.1.0").release == "v1.1.0"


def test_when_all_that_is_left_was_withdrawn_it_is_refused(life: Shop) -> None:
    for version in ("v1.0.0", "v1.1.0"):
        withdraw(life, version)
    with pytest.raises(RefusedError, match="no earlier release that was live and well"):
        back(life)
    assert serving(life) == both("v1.2.0")


def test_that_a_withdrawal_cannot_be_asked_stops_nothing_and_is_reported(life: Shop) -> None:
    withdraw(life, "v1.1.0")
    life.fault(kind="status", path="/releases/tags/", times=None)
    assert back(life).release == "v1.1.0"
    assert "whether v1.1.0 was withdrawn is only known by the providers' marks" in life.log.getvalue()
    assert ledger(life)[0] == (":rollback", "v1.1.0", "success")


@pytest.mark.parametrize("kind", ["failed", "withdrawn"])
@pytest.mark.parametrize("component", COMPONENTS)
def test_a_mark_at_any_provider_excludes_a_release_without_github(life: Shop, kind: str, component: str) -> None:
    host = life.host("production", component)
    host.marks = replace(host.marks, **{kind: {"v1.1.0": "it loses data"}})
    assert alone(life).release == "v1.0.0"
    assert "GitHub was not asked" in life.log.getvalue()
    assert serving(life) == both("v1.0.0")


def test_when_marks_exclude_all_there_is_it_is_refused_without_github(life: Shop) -> None:
    host = life.host("production", "web")
    host.marks = replace(host.marks, failed={"v1.1.0": "x"}, withdrawn={"v1.0.0": "y"})
    with pytest.raises(RefusedError, match="no earlier release that was live and well"):
        alone(life)
    named = life.context("production")
    named.github = None
    assert roll_back(named, Request(to="v1.1.0")).release == "v1.1.0", "someone who names it knows"
    assert host.marks.failed == {"v1.2.0": "rolled back to v1.1.0"}, "it is good again"


def test_what_is_marked_is_what_is_left_behind_and_not_what_is_gone_forward_from() -> None:
    def live(*releases: str, serves: str) -> Live:
        found = tuple(
            Deployed(
                key=f"{name}-1",
                url="https://x.test",
                ready=True,
                identity=Identity(release=name, commit="c" * 40, digest="sha256:x"),
                traffic=100 if name == serves else 0,
            )
            for name in releases
        )
        return Live(url="u", deployments=found, marks=Marks(stable=tuple(d.key for d in found)))

    facts = Facts(
        live={"api": live("v3", "v2", "v1", serves="v1"), "site": live("v3", "v2", "v1", serves="v3")}, to="v2"
    )
    marks = {step.component: step.release for step in plan(facts) if isinstance(step, MarkFailed)}
    assert marks == {"api": "", "site": "v3"}, "v1 is older than v2: nothing is wrong with it"


# GitHub is down ---------------------------------------------------------------------------------------------------------


def answers_503(shop: Shop, context: Context) -> None:
    shop.fault(kind="status", status=503, times=None)


def refuses(shop: Shop, context: Context) -> None:
    context.github = GitHub(REPOSITORY, "x", api_url="http://127.0.0.1:9", policy=Policy(scale=0.0))


def hangs_up(shop: Shop, context: Context) -> None:
    shop.fault(kind="cut", times=None)


def is_limited(shop: Shop, context: Context) -> None:
    shop.fault(kind="throttle", times=None)


def expired(shop: Shop, context: Context) -> None:
    shop.fault(kind="status", status=401, times=None)


@pytest.mark.parametrize("trouble", [answers_503, refuses, hangs_up, is_limited, expired])
def test_it_works_while_github_is_down(life: Shop, trouble: Callable[[Shop, Context], None]) -> None:
    context = life.context("production")
    trouble(life, context)
    rolled = roll_back(context, Request())
    assert (rolled.release, rolled.was, rolled.changed) == ("v1.1.0", "v1.2.0", True)
    assert serving(life) == both("v1.1.0")
    text = life.log.getvalue()
    assert text.count("only known by the providers' marks") == 1
    assert text.count("the ledger could not be updated") == 1, "once it is known to be down it is not asked again"


def test_github_goes_down_in_the_middle(life: Shop) -> None:
    context = life.context("production")
    life.fault(kind="status", times=None, method="POST", after=1)
    assert roll_back(context, Request()).changed
    assert serving(life) == both("v1.1.0")
    assert "the ledger could not be updated" in life.log.getvalue()


def test_a_rollback_does_not_wait_long_for_github(life: Shop) -> None:
    brief = GitHub("o/r", "t", policy=Policy(scale=1.0)).brief()
    assert (brief.policy.tries, brief._timeout) == (2, 5)


# nothing safe -----------------------------------------------------------------------------------------------------------


def test_the_first_release_has_nothing_to_go_back_to(shop: Shop) -> None:
    release(shop, "v1.0.0")
    with pytest.raises(RefusedError, match=r"no earlier release that was live and well \(live now: v1\.0\.0\)"):
        back(shop)
    assert serving(shop) == both("v1.0.0")


def test_an_empty_environment(shop: Shop) -> None:
    with pytest.raises(RefusedError, match="nothing of ours"):
        back(shop)


def test_a_release_that_is_not_there(life: Shop) -> None:
    with pytest.raises(RefusedError, match=r"no ready deployment of v0\.0\.1(.|\n)*there: v1\.2\.0, v1\.1\.0"):
        back(life, to="v0.0.1")
    with pytest.raises(InputError, match="'mobile' does not live"):
        back(life, components=("mobile",))
    assert serving(life) == both("v1.2.0")


def test_what_anybody_writes_into_the_ledger_decides_nothing(life: Shop) -> None:
    """Any workflow of any branch can write there."""
    records = {record.release: record for record in life.ledger().records("production")}
    forger = Ledger(life.client(life.job().token))
    forger.note(records["v1.1.0"], "failure", "smoke tests")
    given: dict[str, Any] = {"environment": "production", "commit": head(life), "artifacts": {}, "run": ""}
    forger.note(forger.open(release="v99.0.0", run_id="1", **given), "success", "v99.0.0 is live")
    assert back(life).release == "v1.1.0"


def test_an_earlier_release_that_is_sick_too_is_reported(life: Shop) -> None:
    life.host("production", "backend").sick.add("v1.1.0")
    rolled = back(life)
    assert rolled.changed, "people are notified"
    assert "2 of 2 checks failed" in str(rolled.problem)
    assert serving(life) == both("v1.1.0"), "together, and no half"
    assert ledger(life)[0] == (":rollback", "v1.1.0", "failure")
    assert back(life, to="v1.0.0").changed


def test_the_plan_alone_changes_nothing(life: Shop) -> None:
    life.writes.seen.clear()
    steps = preview(life.context("production"), Request())
    keys = [life.host("production", component).marks.stable[1] for component in COMPONENTS]
    assert [(step.says, done) for step, done in steps][:4] == [
        *[("mark v1.2.0 as rolled back, on the way to v1.1.0", "")] * 2,
        *[(f"give all traffic to v1.1.0 ({key})", "") for key in keys],
    ]
    assert (life.writes.seen, serving(life)) == ([], both("v1.2.0"))
    back(life)
    again = [(step.name, bool(done)) for step, done in preview(life.context("production"), Request())]
    assert again == [("restore", True)] * 2 + [("verify-live", False)] * 2 + [("mark-restored", True)] * 2
