"""What someone tries who may only write: a line, a tag and a dispatch of their own, forged records, and a rule that vanishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from pipelines.delivery import notifications, plan_text, planning
from pipelines.delivery.approval.gate import Gate, Granted, authors_of, require_in_time, rule_of
from pipelines.delivery.approval.rules import Asked
from pipelines.delivery.planning import Planned
from pipelines.errors import RefusedError
from rehearsal.runner.model import Run
from tests.shop import REPOSITORY, Shop
from tests.shop_files import FILES, MANIFEST

pytestmark = pytest.mark.world

LINE = "release/1.x"
CI = ".github/workflows/ci.yml"
BREAK_GLASS = "production-break-glass"
APPROVAL = MANIFEST[MANIFEST.index("    approval:\n") : MANIFEST.index("\n    backend:", MANIFEST.index("approval:"))]
MINE = MANIFEST.replace("by: [release-manager, on-call]", "by: [dev-1]").replace(
    "break_glass: [on-call]", "break_glass: [dev-1]"
)
LAX = MANIFEST.replace('lint: {run: ["true"]', 'lint: {run: ["echo fine"]')
TRIVIAL_CI = FILES[CI].replace('run: "true"', 'run: "exit 0"')


@dataclass
class Dispatched:
    """A run of the production workflow: what its plan job and its approval do."""

    shop: Shop
    version: str
    run: Run

    def plan(self) -> Planned:
        return planning.plan_release(self.shop.context("production", self.run), self.version)

    def approve(self, planned: Planned, *, reason: str = "") -> Granted:
        """As the action asks, without anybody to wait for."""
        context = self.shop.context("production", self.run)
        assert context.github is not None
        recorded = planned.plan.recorded
        rule = rule_of(context.github, context.manifest, "production")
        assert rule is not None
        gate = Gate(
            github=context.github, rule=rule, runtime=context.runtime, environment="production", now=self.shop.clock
        )
        asked = Asked(
            release=recorded.release,
            plan=planned.plan.digest,
            since=gate.since(),
            starters=gate.starters(),
            authors=authors_of(recorded.unreviewed),
        )
        return gate.obtain(asked, reason=reason, wait_seconds=0)


def dispatched(shop: Shop, version: str, by: str = "dev-1") -> Dispatched:
    return Dispatched(shop, version, shop.start(by))


def line(shop: Shop, files: dict[str, Any], tag: str = "v1.0.1") -> str:
    """A commit of dev-1's own on a maintenance line: its CI is green, main's workflow proved it, it is tagged."""
    shop.commit("chore: a line", branch=LINE, author="dev-1")
    return shop.proved(tag, branch=LINE, author="dev-1", files=files)


# a line of one's own ----------------------------------------------------------------------------------------------------


def test_a_line_that_brings_its_own_ci_is_not_planned(shop: Shop) -> None:
    shop.released("v1.0.0")
    line(shop, {CI: TRIVIAL_CI, "shipmate.yml": MINE})
    with pytest.raises(RefusedError, match=r"is none that (\S+/)?main ever had"):
        dispatched(shop, "v1.0.1").plan()
    assert shop.host("production", "backend").serving() == {"v1.0.0": 100}


def test_a_line_with_trivial_checks_shows_them_to_the_approver(shop: Shop) -> None:
    shop.released("v1.0.0")
    commit = line(shop, {"shipmate.yml": LAX})
    found = dispatched(shop, "v1.0.1").plan()
    (warning,) = found.plan.recorded.warnings
    assert warning.startswith(f"the checks of {commit[:7]}")
    assert b"the checks of" in found.plan.document, "what was approved says so, too"
    for text in (plan_text.as_text(found), plan_text.as_markdown(found)):
        assert "Attention" in text
        assert warning in text


def test_a_line_that_names_its_own_approvers_is_judged_by_main(shop: Shop) -> None:
    """`by` and `break_glass` name the person who pushed it; GitHub let them review."""
    shop.released("v1.0.0")
    line(shop, {"shipmate.yml": MINE})
    shop.reviewers("dev-1")
    shop.reviewers("dev-1", environment=BREAK_GLASS)
    asked = dispatched(shop, "v1.0.1")
    planned = asked.plan()
    shop.review(asked.run, "dev-1")
    with pytest.raises(RefusedError, match="dev-1: is not among those who may approve"):
        asked.approve(planned)
    broken = dispatched(shop, "v1.0.1")
    shop.review(broken.run, "dev-1", environment=BREAK_GLASS)
    with pytest.raises(RefusedError, match="dev-1: is not among those who may approve"):
        broken.approve(planned, reason="the shop is down for everybody")


@pytest.mark.parametrize("reason", ["the shop is down for everybody", "x", "by: [dev-1]", "\n"])
def test_any_reason_alone_lets_nobody_through(shop: Shop, reason: str) -> None:
    shop.released("v1.0.0")
    line(shop, {"shipmate.yml": MINE})
    shop.reviewers("on-call", environment=BREAK_GLASS)
    asked = dispatched(shop, "v1.0.1")
    with pytest.raises(RefusedError, match=r"v1\.0\.1 is not approved"):
        asked.approve(asked.plan(), reason=reason)


def test_a_line_without_approval_is_still_asked(shop: Shop) -> None:
    shop.released("v1.0.0")
    without = MANIFEST.replace(APPROVAL, "    unapproved: nobody has to")
    assert without != MANIFEST
    line(shop, {"shipmate.yml": without})
    shop.reviewers("release-manager")
    asked = dispatched(shop, "v1.0.1")
    with pytest.raises(RefusedError, match="nobody has answered"):
        asked.approve(asked.plan())


def test_a_tag_on_an_old_commit_revives_no_approver_of_that_day(shop: Shop) -> None:
    former = MANIFEST.replace("by: [release-manager, on-call]", "by: [dev-2]")
    shop.commit("chore: as it was", files={"shipmate.yml": former})
    shop.proved("v1.0.0")
    shop.commit("chore: who approves now", files={"shipmate.yml": MANIFEST})
    shop.reviewers("dev-2", "release-manager")
    asked = dispatched(shop, "v1.0.0")
    planned = asked.plan()
    shop.review(asked.run, "dev-2")
    with pytest.raises(RefusedError, match="dev-2: is not among those who may approve"):
        asked.approve(planned)


def test_who_wrote_it_all_alone_cannot_approve_it_even_when_main_names_them(shop: Shop) -> None:
    """Someone else only has to press the button."""
    shop.released("v1.0.0")
    shop.commit("chore: a line", branch=LINE, author="release-manager")
    shop.proved("v1.0.1", branch=LINE, author="release-manager")
    shop.reviewers("release-manager", "on-call")
    asked = dispatched(shop, "v1.0.1", by="dev-1")
    planned = asked.plan()
    shop.review(asked.run, "release-manager")
    with pytest.raises(RefusedError, match="wrote commits that nobody else has reviewed"):
        asked.approve(planned)
    other = dispatched(shop, "v1.0.1", by="dev-1")
    shop.review(other.run, "on-call")
    assert other.approve(planned).by == "on-call"


def test_the_way_of_honest_people_is_open(shop: Shop) -> None:
    """None of the above stops what is right: by approval, and by breaking the glass."""
    shop.released("v1.0.0")
    line(shop, {"NEWS.md": "a hotfix\n"})
    shop.reviewers("release-manager")
    shop.reviewers("on-call", environment=BREAK_GLASS)
    asked = dispatched(shop, "v1.0.1")
    shop.review(asked.run, "release-manager")
    assert asked.approve(asked.plan()).by == "release-manager"
    urgent = dispatched(shop, "v1.0.1", by="on-call")
    shop.review(urgent.run, "on-call", environment=BREAK_GLASS)
    granted = urgent.approve(urgent.plan(), reason="the shop is down for everybody")
    assert (granted.by, granted.broke_glass) == ("on-call", True)


# the rule, and what becomes of it ---------------------------------------------------------------------------------------


def test_an_approval_that_vanishes_from_main_during_the_run_opens_no_gate(shop: Shop) -> None:
    shop.proved("v1.0.0")
    asked = dispatched(shop, "v1.0.0")
    planned = asked.plan()
    began = shop.context("production", asked.run)
    without = MANIFEST.replace(APPROVAL, "    unapproved: nobody has to")
    shop.commit("chore: nobody asks", files={"shipmate.yml": without})
    assert began.github is not None
    with pytest.raises(RefusedError, match=r"says nothing any more about who approves(.|\n)*that opens no gate"):
        rule_of(began.github, began.manifest, "production")
    assert planned.plan.recorded.release == "v1.0.0"


def test_a_notice_that_fails_does_not_keep_an_emergency_waiting(shop: Shop) -> None:
    context = shop.context("production", shop.start("on-call"))
    secrets = {"slack_webhook": "https://hooks.slack.test/x", "smtp_user": "", "smtp_password": ""}
    notifications.announce_break_glass(context, "v1.0.0", "it is down", "on-call", secrets)
    assert "nobody was notified" in shop.log.getvalue()


# what anybody can write -------------------------------------------------------------------------------------------------


def record(shop: Shop, environment: str, release: str, commit: str, state: str = "success") -> None:
    """A deployment record as ours are, made with the token of any job."""
    job = shop.job()
    made = job.post(
        f"/repos/{REPOSITORY}/deployments",
        {
            "ref": commit,
            "task": "shipmate",
            "environment": environment,
            "auto_merge": False,
            "required_contexts": [],
            "payload": {"release": release, "commit": commit, "artifacts": shop.artifacts("forged"), "plan": "0" * 64},
        },
    )
    path = f"/repos/{REPOSITORY}/deployments/{made['id']}/statuses"
    job.post(path, {"state": state, "description": f"{release} is live, approved by release-manager"})


def test_a_forged_live_release_blocks_nothing(shop: Shop) -> None:
    shop.released("v1.0.0")
    commit = shop.proved("v1.1.0")
    before = dispatched(shop, "v1.1.0").plan()
    record(shop, "production", "v99.0.0", commit)
    record(shop, "staging", "v1.1.0", commit, "failure")
    after = dispatched(shop, "v1.1.0").plan()
    assert after.plan.document == before.plan.document
    assert "live now: v1.0.0" in plan_text.as_text(after)


def test_two_hundred_forged_records_neither(shop: Shop) -> None:
    shop.released("v1.0.0")
    commit = shop.proved("v1.1.0")
    before = dispatched(shop, "v1.1.0").plan()
    job = shop.job()
    body = {
        "ref": commit,
        "task": "shipmate",
        "environment": "production",
        "auto_merge": False,
        "required_contexts": [],
        "payload": "junk",
    }
    for _ in range(200):
        job.post(f"/repos/{REPOSITORY}/deployments", body)
    assert dispatched(shop, "v1.1.0").plan().plan.document == before.plan.document


def test_a_forged_approval_in_the_records_approves_nothing(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    shop.reviewers("release-manager")
    asked = dispatched(shop, "v1.0.0")
    planned = asked.plan()
    record(shop, "production", "v1.0.0", commit, "queued")
    with pytest.raises(RefusedError, match="nobody has answered"):
        asked.approve(planned)


def test_forged_check_runs_and_statuses_are_no_green_ci(shop: Shop) -> None:
    shop.released("v1.0.0")
    commit = shop.commit("feat: red", author="dev-1")
    shop.check(commit, "failure")
    shop.end(shop.prove(commit), "success")
    shop.tag("v1.1.0", commit)
    shop.forged_check(commit)
    status = {"state": "success", "context": "ci", "description": "fine"}
    shop.person("dev-1").post(f"/repos/{REPOSITORY}/statuses/{commit}", status)
    with pytest.raises(RefusedError, match="'ci' is failure"):
        dispatched(shop, "v1.1.0").plan()


def test_an_approval_of_yesterday_is_none_of_today(shop: Shop) -> None:
    """The run waited, or its jobs are run again one by one."""
    shop.proved("v1.0.0")
    shop.reviewers("release-manager")
    asked = dispatched(shop, "v1.0.0")
    planned = asked.plan()
    shop.review(asked.run, "release-manager")
    granted = asked.approve(planned)
    shop.clock.ahead = timedelta(days=1)
    with pytest.raises(RefusedError, match="re-run all jobs"):
        require_in_time(granted.until.isoformat(timespec="seconds"), shop.clock())
