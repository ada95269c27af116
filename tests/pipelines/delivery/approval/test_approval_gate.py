"""Who lets a release pass by a review, and whose rule says so."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.delivery.approval.gate import SEEN, Gate, authors_of, require_in_time, rule_of
from pipelines.delivery.approval.rules import Asked
from pipelines.delivery.review import UNKNOWN, Unreviewed
from pipelines.errors import InputError, ManifestError, RefusedError
from pipelines.faults import Policy
from pipelines.manifest import parse
from pipelines.manifest.model import Approval
from rehearsal.runner.model import Event
from tests.pipelines.delivery.approval.door import PLAN, VERSION, Door, refused
from tests.shop import REPOSITORY, SERVER, Shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world


# by review --------------------------------------------------------------------------------------------------------------


def test_a_review_approves(door: Door) -> None:
    door.shop.reviewers("release-manager")
    door.shop.review(door.run)
    found = door.ask()
    assert (found.by, found.text, found.broke_glass) == ("release-manager", "seen", False)
    assert found.url == f"{SERVER}/{REPOSITORY}/actions/runs/{door.run.id}"
    assert timedelta(minutes=59) < found.until - datetime.now(UTC) <= timedelta(minutes=60)
    assert door.issues() == []


def test_a_review_that_shows_late_is_waited_for(door: Door) -> None:
    door.shop.reviewers("release-manager")
    gate = door.gate()
    gate.github.policy = Policy(scale=0.02)
    reviewed = threading.Event()

    def sleep(seconds: float) -> None:
        if not reviewed.is_set():
            door.shop.review(door.run)
            reviewed.set()

    gate.sleep = sleep
    asked = Asked(release=VERSION, plan=PLAN, since=gate.since(), starters=gate.starters())
    assert gate.obtain(asked, reason="", wait_seconds=3000).by == "release-manager"


def test_nobody_answered(door: Door) -> None:
    door.shop.reviewers("release-manager")
    text = refused(door)
    assert "nobody has answered" in text
    assert "Review deployments" in text


@pytest.mark.parametrize(
    ("login", "why"), [("dev-1", "not among those who may approve"), ("release-manager", "started this release")]
)
def test_who_may_not_is_reported_at_once(shop: Shop, login: str, why: str) -> None:
    """GitHub itself lets the person who started it review; no other review can come once the job has started."""
    door = Door(shop, actor="release-manager")
    shop.reviewers("dev-1", "release-manager")
    shop.review(door.run, login)
    assert why in refused(door, wait=3000)


def test_who_wrote_what_nobody_reviewed_may_not(door: Door) -> None:
    door.shop.reviewers("release-manager")
    door.shop.review(door.run)
    assert "wrote commits that nobody else has reviewed" in refused(door, authors=("dev-2", "release-manager"))


def test_the_starter_of_any_attempt_is_out(shop: Shop) -> None:
    """`triggering_actor` of a re-run is another than the run's actor."""
    door = Door(shop, actor="dev-1")
    door.gate()
    door.again(actor="release-manager")
    door.gate()
    door.again(actor="dev-2")
    assert door.gate().starters() == {"dev-1", "dev-2", "release-manager"}
    shop.reviewers("release-manager", "on-call")
    shop.review(door.run, "release-manager")
    assert "release-manager: started this release" in refused(door)


def test_the_starter_of_the_fifty_first_attempt_is_out(shop: Shop) -> None:
    """GitHub lets a run be re-run fifty times."""
    door = Door(shop)
    for _ in range(49):
        door.again(keep=False)
    door.again(actor="release-manager", keep=False)
    assert door.run.attempt == 51
    assert "release-manager" in door.gate().starters()


@pytest.mark.parametrize("bot", ["github-actions[bot]", "deploy-app[bot]"])
def test_a_bot_starts_nothing_that_needs_two(shop: Shop, bot: str) -> None:
    shop.do(shop.github.seed.app, bot.removesuffix("[bot]"), REPOSITORY, permissions={})
    door = Door(shop, actor=bot)
    text = refused(door)
    assert f"{bot} started this" in text
    assert "dispatch the workflow yourself" in text


def test_a_bot_that_re_ran_it_once_spoils_the_run(shop: Shop) -> None:
    shop.do(shop.github.seed.app, "helper", REPOSITORY, permissions={})
    door = Door(shop)
    door.again(actor="helper[bot]", keep=False)
    door.again(actor="dev-1", keep=False)
    assert "helper[bot] started this" in refused(door)


def test_a_rejection_ends_it(door: Door) -> None:
    door.shop.reviewers("release-manager")
    door.shop.review(door.run, state="rejected")
    assert "release-manager rejected it: seen" in refused(door)


# what someone may ------------------------------------------------------------------------------------------------------


def test_maintain_is_reported_from_write(door: Door) -> None:
    """GitHub's `permission` calls both write."""
    door.rule = replace(door.rule, by=(), permission="maintain")
    door.shop.do(door.shop.github.seed.role, REPOSITORY, "dev-3", "write")
    door.shop.reviewers("dev-3", "release-manager")
    door.shop.review(door.run, "dev-3")
    assert "has the role 'write' on the repository, 'maintain' is needed" in refused(door)
    other = Door(door.shop)
    other.rule = door.rule
    door.shop.review(other.run, "release-manager")
    assert other.ask().by == "release-manager"


def test_someone_github_does_not_know_any_more_may_nothing(door: Door) -> None:
    """The permission endpoint answers 404."""
    door.rule = replace(door.rule, by=("ghost", "release-manager"))
    assert door.gate().github.role("ghost") == "none"
    door.shop.do(door.shop.github.seed.user, "ghost")
    door.shop.reviewers("ghost")
    door.shop.review(door.run, "ghost")
    del door.shop.github.instance.database.users["ghost"]
    assert "has the role 'none' on the repository" in refused(door)


def test_who_lost_the_role_since_may_not(door: Door) -> None:
    door.shop.reviewers("release-manager")
    door.shop.review(door.run)
    door.shop.do(door.shop.github.seed.role, REPOSITORY, "release-manager", "read")
    assert "has the role 'read' on the repository, 'write' is needed" in refused(door)


# how long it counts -----------------------------------------------------------------------------------------------------


def test_it_expires() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    require_in_time("", now)
    require_in_time("2026-01-01T12:00:00+00:00", now)
    with pytest.raises(RefusedError, match=r"counted until 2026-01-01T11:59:59(.|\n)*re-run all jobs"):
        require_in_time("2026-01-01T11:59:59+00:00", now)


def test_a_comment_ages_from_when_it_was_made(door: Door) -> None:
    commented: list[datetime] = []

    def late() -> None:
        commented.append(door.shop.clock())
        door.comment(f"/approve {PLAN}")
        door.shop.clock.ahead = timedelta(minutes=50)

    found = door.ask(late, wait=7200)
    assert abs(found.until - commented[0] - timedelta(minutes=60)) < timedelta(seconds=30)


def test_a_comment_that_is_found_too_late_does_not_count(door: Door) -> None:
    def much_later() -> None:
        door.comment(f"/approve {PLAN}")
        door.shop.clock.ahead = timedelta(minutes=61)

    with pytest.raises(TimeoutError):
        door.ask(much_later, wait=7200)


# whose rule -------------------------------------------------------------------------------------------------------------

RULE_TEXT = MANIFEST[MANIFEST.index("    approval:\n") : MANIFEST.index("      expires_minutes")]
APPROVAL = MANIFEST[MANIFEST.index("    approval:\n") : MANIFEST.index("\n    backend:", MANIFEST.index("approval:"))]


def at_main(shop: Shop, text: str) -> Approval | None:
    """The rule of production when main's head says this, for a run that began with the manifest of the shop."""
    began = shop.context("production").manifest
    shop.commit("chore: who may", files={"shipmate.yml": text})
    return rule_of(shop.client(shop.person("on-call").token), began, "production")


def test_the_rule_is_that_of_mains_head_now(shop: Shop) -> None:
    found = at_main(shop, MANIFEST.replace("by: [release-manager, on-call]", "by: [dev-2]"))
    assert found is not None
    assert found.by == ("dev-2",)


def test_a_rule_that_was_removed_while_the_run_was_under_way_opens_no_gate(shop: Shop) -> None:
    for text in (
        MANIFEST.replace(APPROVAL, ""),
        MANIFEST.replace(APPROVAL, "    unapproved: we trust each other"),
    ):
        assert text != MANIFEST
        with pytest.raises((RefusedError, ManifestError)):
            at_main(shop, text)


def test_it_says_that_the_rule_is_gone(shop: Shop) -> None:
    with pytest.raises(RefusedError, match=r"says nothing any more about who approves releases to production"):
        at_main(shop, MANIFEST.replace(APPROVAL, "    unapproved: we trust each other"))


def test_an_environment_that_is_gone_from_main_opens_no_gate(shop: Shop) -> None:
    with pytest.raises(RefusedError, match="says nothing any more"):
        at_main(shop, MANIFEST.replace("  production:\n", "  elsewhere:\n"))


def test_a_head_that_cannot_be_read_opens_no_gate(shop: Shop) -> None:
    with pytest.raises(ManifestError):
        at_main(shop, "platform: [")


def test_a_rule_that_came_since_is_asked(shop: Shop) -> None:
    began = parse(MANIFEST.replace(APPROVAL, "    unapproved: we trust each other"), Path("shipmate.yml"))
    assert began.environments["production"].approval is None
    found = rule_of(shop.client(shop.person("on-call").token), began, "production")
    assert found is not None
    assert found.by == ("release-manager", "on-call")


def test_where_nobody_has_to_approve_the_policy_says_so_in_words(shop: Shop) -> None:
    text = MANIFEST.replace(APPROVAL, "    unapproved: we trust each other")
    shop.commit("chore: nobody", files={"shipmate.yml": text})
    began = shop.context("production").manifest
    assert rule_of(shop.client(shop.person("on-call").token), began, "production") is None


# around it --------------------------------------------------------------------------------------------------------------


def test_outside_a_workflow_there_is_none(shop: Shop) -> None:
    context = shop.context("production")
    rule = context.settings.approval
    assert context.github is not None
    assert rule is not None
    gate = Gate(github=context.github, rule=rule, runtime=context.runtime, environment="production")
    with pytest.raises(InputError, match="GITHUB_RUN_ID is not set"):
        gate.starters()


def test_what_it_saw_is_written_even_when_nobody_approved(door: Door, tmp_path: Path) -> None:
    door.shop.reviewers("dev-2", "release-manager")
    door.shop.review(door.run, "dev-2")
    refused(door)
    assert door.last is not None
    door.last.write_seen(tmp_path / "a" / "b")
    assert json.loads((tmp_path / "a" / "b" / SEEN).read_text()) == {"attempt": 1, "seen": ["dev-2"]}


def test_authors_are_everybody_of_what_nobody_reviewed() -> None:
    commits = [Unreviewed(commit="a", authors=("dev-1", UNKNOWN)), Unreviewed(commit="b", authors=("dev-2", "dev-1"))]
    assert authors_of(commits) == {"dev-1", "dev-2", UNKNOWN}
    assert authors_of([]) == frozenset()


def test_the_event_of_the_run_says_nothing_about_who_started_it(shop: Shop) -> None:
    """GitHub's own record of the attempts is read, not what the job's environment says."""
    door = Door(shop, actor="release-manager")
    gate = door.gate()
    gate.runtime.environ = {**gate.runtime.environ, "GITHUB_ACTOR": "dev-9", "GITHUB_TRIGGERING_ACTOR": "dev-9"}
    assert gate.starters() == {"release-manager"}
    assert isinstance(door.run.event, Event)
