"""The jobs of *Promote Apps*: a plan that people approve, the gate that asks them, and the job that does what was approved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from actions import plan_promotion, promote_apps
from pipelines import notify
from pipelines.errors import ProviderUnavailable
from pipelines.mobile import clients, promotion_plan
from pipelines.mobile.promotion import Promotions
from pipelines.mobile.promotion_plan import Plan, Wanted
from pipelines.roles import Message
from rehearsal.runner.expressions import Scope, condition
from tests.actions.workplace import KEPT, workplace
from tests.pipelines.mobile.stores import BAD, UNKNOWN, AppleWorld, PlayWorld, apple_world, play_world
from tests.shop import open_shop

pytestmark = pytest.mark.world

ROOT = Path(__file__).resolve().parents[2]
LATER = (datetime.now(UTC) + timedelta(hours=1)).isoformat()


@dataclass
class Recorder:
    """A channel by which people are notified."""

    messages: list[Message]
    name: ClassVar[str] = "slack"
    works: ClassVar[bool] = True

    def send(self, message: Message) -> None:
        if not self.works:
            raise ProviderUnavailable("Slack does not answer", where="Slack")
        self.messages.append(message)


@dataclass
class Jobs:
    """Steps of the workflow's jobs, against both stores with 1.0.0 on sale and 1.0.1 with its testers."""

    play: PlayWorld
    apple: AppleWorld
    step: Any
    notified: list[Message]
    """What people were notified."""

    def plan(self, code: int = 0, **inputs: str) -> str:
        assert self.step.run(plan_promotion.main, **{"to": "production", "phased": "false", **inputs}) == code, (
            self.step.log
        )
        return str(self.step.outputs().get("plan", ""))

    def promote(self, plan: str, code: int = 0, *, by: str = "lead", until: str = LATER) -> str:
        given = {"plan": plan, "approved_by": by, "approved_until": until if by else ""}
        assert self.step.run(promote_apps.main, **given) == code, self.step.log
        return str(self.step.outputs().get("state", ""))

    def watch(self, code: int = 0) -> str:
        return self.promote("", code, by="")


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: Any) -> Iterator[Jobs]:
    monkeypatch.chdir(tmp_path)
    Path("shipmate.yml").write_text((ROOT / "shipmate.yml").read_text())
    with play_world(tmp_path) as play, apple_world(tmp_path) as apple:
        apple.publish("1.0.0")
        play.deliver("1.0.1", 2)
        apple.deliver("1.0.1", 7)

        def made(manifest: Any, access: clients.Access) -> Promotions:
            return Promotions(android=play.promotion(), ios=apple.promotion())

        values: list[Message] = []
        monkeypatch.setattr(clients, "promotions", made)
        monkeypatch.setattr(notify, "ways", lambda *_: [Recorder(values)])
        yield Jobs(play, apple, step, values)


def test_what_was_approved_is_done_once(jobs: Jobs) -> None:
    plan = jobs.plan(version="mobile-v1.0.1", percent="5", phased="true")
    assert "- android: 1.0.1 (2) to production, 5 %, then by scheduled runs 20 %, 100 %" in jobs.step.summary()
    assert jobs.step.outputs()["version"] == "1.0.1"
    assert jobs.promote(plan) == "waiting"
    assert jobs.play.on()[0] == (2, "inProgress", 0.05)
    jobs.play.review()
    jobs.apple.review()
    assert jobs.promote(plan) == "done"
    assert jobs.play.on()[0] == (2, "inProgress", 0.05)
    assert [(each.kind, each.title) for each in jobs.notified] == [
        ("released", "More people get 1.0.1 (2) and 1.0.1 (7) of the apps")
    ]
    assert "waits for" in jobs.notified[0].next_step


@pytest.mark.parametrize("works", [True, False])
def test_people_are_notified_of_what_was_halted_by_itself(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, *, works: bool
) -> None:
    """And the job ends as it would where nobody can be notified."""
    monkeypatch.setattr(Recorder, "works", works)
    plan = jobs.plan(version="mobile-v1.0.1", percent="5", platform="android")
    jobs.promote(plan)
    jobs.play.review()
    jobs.play.health = BAD
    jobs.notified.clear()
    jobs.watch(7)
    assert jobs.play.on()[0][1] == "halted"
    assert [each.title for each in jobs.notified] == (["A roll-out of the apps was halted"] if works else [])
    assert all(BAD.says in each.what and each.kind == "deployment-failed" for each in jobs.notified)
    assert works or "Slack does not answer" in jobs.step.log
    jobs.notified.clear()
    jobs.watch()
    assert jobs.notified == [], "what is halted already is notified once"


@pytest.mark.parametrize(
    ("by", "until", "message"),
    [
        ("", "", "nobody approved this promotion"),
        ("lead", "2026-01-01T00:00:00+00:00", "the approval counted until"),
    ],
)
def test_without_an_approval_that_counts_nothing_is_changed(jobs: Jobs, by: str, until: str, message: str) -> None:
    jobs.promote(jobs.plan(platform="android"), 6, by=by, until=until)
    assert message in jobs.step.log
    assert jobs.play.on() == [(1, "completed", None)]


def test_testers_get_it_without_an_approval(jobs: Jobs) -> None:
    jobs.promote(jobs.plan(to="beta"), by="")
    assert jobs.play.on("beta") == [(2, "completed", None)]


def test_a_plan_that_was_changed_or_is_not_true_any_more_is_refused(jobs: Jobs) -> None:
    plan = jobs.plan(platform="android", percent="5")
    file = Path("build/delivery") / promotion_plan.FILE
    document = file.read_bytes()
    file.write_bytes(document.replace(b'"percent": 5', b'"percent": 100'))
    jobs.promote(plan, 6)
    assert "is not the one that was approved" in jobs.step.log
    file.write_bytes(document)
    jobs.play.deliver("1.0.1", 3)
    jobs.promote(plan, 6)
    assert "android has the build 3 of 1.0.1 now, not 2" in jobs.step.log
    assert jobs.play.on() == [(1, "completed", None)]


def test_every_day_it_goes_one_step_further_or_is_held_or_halted(jobs: Jobs) -> None:
    assert jobs.watch() == "nothing"
    jobs.promote(jobs.plan(platform="android"))
    jobs.play.review()
    jobs.play.health = UNKNOWN
    assert jobs.watch() == "held"
    [warning] = jobs.step.commands("warning")
    assert UNKNOWN.says in warning
    jobs.play.health = replace(UNKNOWN, state="good")
    assert jobs.watch() == "done"
    assert jobs.play.on()[0] == (2, "inProgress", 0.2)
    jobs.play.health = BAD
    jobs.watch(7)
    assert jobs.play.on()[0] == (2, "halted", 0.2)
    jobs.play.health = replace(UNKNOWN, state="good")
    assert jobs.watch() == "nothing", "what was halted is a person's to go on with"


def test_a_store_that_cannot_be_reached_fails_the_watch_and_raises_nothing(jobs: Jobs) -> None:
    jobs.promote(jobs.plan(platform="android"))
    jobs.play.review()
    jobs.apple.apple.app_store.access.keys.clear()
    jobs.watch(5)
    assert "App Store Connect does not accept the API key" in jobs.step.log
    assert jobs.play.on()[0] == (2, "inProgress", 0.05)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"to": "everybody"}, "'everybody' is none of beta, production"),
        ({"platform": "windows"}, "'windows' is none of android, ios"),
        ({"percent": "many"}, "'many' is no number"),
        ({"percent": "20"}, "a share of users is Google Play's alone"),
    ],
)
def test_what_cannot_be_asked_for(jobs: Jobs, inputs: dict[str, str], message: str) -> None:
    jobs.plan(4, **inputs)
    assert message in jobs.step.log


@pytest.mark.parametrize(("starter", "code"), [("dev-1", 0), ("release-manager", 6)])
def test_someone_else_approves_that_very_plan(
    tmp_path: Path, step: Any, monkeypatch: pytest.MonkeyPatch, starter: str, code: int
) -> None:
    wanted = Wanted(platform="android", to="production", version="1.0.1", number=2, percent=5)
    plan = Plan(wanted=(wanted,))
    with open_shop(tmp_path / "shop") as shop, workplace(shop, step, monkeypatch) as at:
        shop.reviewers("release-manager")
        run = shop.start(starter)
        shop.review(run, "release-manager")
        at.job(run)
        KEPT.mkdir(parents=True)
        (KEPT / promotion_plan.FILE).write_bytes(plan.document)
        asked = {"environment": "production", "of": "promotion", "plan": plan.digest}
        given = at.act("approval_gate", code=code, **asked)
        if code:
            assert "release-manager: started this release, so someone else must approve it" in at.step.log
            return
        assert (given["plan"], given["by"]) == (plan.digest, "release-manager")
        assert f"**apps 1.0.1** ✅ approved by **release-manager** for plan `{plan.digest}`" in at.summary
        at.act("approval_gate", code=6, **{**asked, "plan": "0" * 64})
        at.act("approval_gate", code=4, **{**asked, "of": "promise"})


@pytest.mark.parametrize(
    ("event", "to", "approval", "promotes"),
    [
        ("workflow_dispatch", "production", "success", True),
        ("workflow_dispatch", "production", "skipped", False),
        ("workflow_dispatch", "production", "failure", False),
        ("workflow_dispatch", "beta", "skipped", True),
        ("schedule", "", "skipped", False),
    ],
)
def test_production_is_promoted_to_only_after_the_approval(event: str, to: str, approval: str, promotes: bool) -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/mobile-promote.yml").read_text())["jobs"]["promote"]
    planned = "success" if event == "workflow_dispatch" else "skipped"
    needs = {"plan": {"result": planned}, "approval": {"result": approval}}
    scope = Scope(
        contexts={"inputs": {"to": to}, "needs": needs, "github": {"event_name": event}}, status={"cancelled": False}
    )
    assert condition(job["if"], scope) is promotes
