"""Which commit goes to staging: main's own, or that of a maintenance line whose CI has passed; never by the branch's own workflow."""

from __future__ import annotations

import io
from typing import Any

import pytest

from pipelines.delivery import candidate
from pipelines.errors import InputError, RefusedError
from pipelines.manifest import parse
from pipelines.runtime import Runtime
from rehearsal.runner.model import Run
from tests.shop import REPOSITORY, Shop
from tests.shop_files import MANIFEST

LINE = "release/1.x"


def runtime(event: str, ref: str = "refs/heads/main", **payload: Any) -> Runtime:
    environ = {"GITHUB_EVENT_NAME": event, "GITHUB_REF": ref, "GITHUB_SHA": "m" * 40}
    made = Runtime(environ=environ, stream=io.StringIO())
    made.__dict__["event"] = payload
    return made


def run_of_ci(commit: str, **otherwise: Any) -> dict[str, Any]:
    """A completed run as the event `workflow_run` has it."""
    return {
        "path": ".github/workflows/ci.yml",
        "event": "push",
        "conclusion": "success",
        "head_branch": LINE,
        "head_sha": commit,
        "head_repository": {"full_name": REPOSITORY},
        "html_url": "https://github.test/run",
        **otherwise,
    }


def commit_of(shop: Shop, given: Runtime) -> str:
    return candidate.commit_of(given, parse(MANIFEST), shop.client(shop.job().token))


@pytest.mark.world
def test_a_push_to_main_goes_there(shop: Shop) -> None:
    assert commit_of(shop, runtime("push")) == "m" * 40


@pytest.mark.world
@pytest.mark.parametrize("event", ["push", "workflow_run"])
@pytest.mark.parametrize("ref", [f"refs/heads/{LINE}", "refs/heads/feature", "refs/tags/main", "refs/heads/main2", ""])
def test_no_other_ref_does(shop: Shop, event: str, ref: str) -> None:
    given = runtime(event, ref, workflow_run=run_of_ci(shop.commit(branch=LINE)))
    with pytest.raises(RefusedError, match=r"not on main(.|\n)*only the workflow of the default branch"):
        commit_of(shop, given)


@pytest.mark.world
@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "schedule", ""])
def test_no_other_event_does(shop: Shop, event: str) -> None:
    with pytest.raises(InputError, match="nothing goes to staging by the event"):
        commit_of(shop, runtime(event))


@pytest.mark.world
def test_a_commit_of_a_maintenance_line_goes_there_once_its_ci_has_passed(shop: Shop) -> None:
    commit = shop.commit(branch=LINE)
    assert commit_of(shop, runtime("workflow_run", workflow_run=run_of_ci(commit))) == commit
    shop.commit(branch=LINE)
    assert commit_of(shop, runtime("workflow_run", workflow_run=run_of_ci(commit))) == commit, "further down the line"


@pytest.mark.world
@pytest.mark.parametrize(
    ("otherwise", "message"),
    [
        ({"path": ".github/workflows/mine.yml"}, "it is a run of .github/workflows/mine.yml"),
        ({"path": ".github/workflows/ci.yml.yml"}, "it is a run of"),
        ({"event": "workflow_dispatch"}, "it was started by workflow_dispatch"),
        ({"event": "pull_request"}, "it was started by pull_request"),
        ({"conclusion": "failure"}, "it ended as failure"),
        ({"conclusion": "cancelled"}, "it ended as cancelled"),
        ({"conclusion": "skipped"}, "it ended as skipped"),
        ({"conclusion": None}, "it ended as None"),
        ({"head_repository": {"full_name": "stranger/platform"}}, "it is of a fork"),
        ({"head_repository": None}, "it is of a fork"),
        ({"head_branch": "feature"}, "feature is no maintenance line"),
        ({"head_branch": "main"}, "main is no maintenance line"),
        ({"head_branch": "release/anything"}, "release/anything is no maintenance line"),
    ],
)
def test_another_run_sends_nothing(shop: Shop, otherwise: dict[str, Any], message: str) -> None:
    commit = shop.commit(branch=LINE)
    with pytest.raises(RefusedError) as error:
        commit_of(shop, runtime("workflow_run", workflow_run=run_of_ci(commit, **otherwise)))
    assert message in error.value.what
    assert "staging takes what CI found well" in str(error.value)


@pytest.mark.world
def test_an_event_without_a_run_sends_nothing(shop: Shop) -> None:
    with pytest.raises(RefusedError, match="sends nothing to staging"):
        commit_of(shop, runtime("workflow_run"))


@pytest.mark.world
def test_all_that_is_wrong_is_named_at_once(shop: Shop) -> None:
    run = run_of_ci("c" * 40, conclusion="failure", head_branch="feature")
    with pytest.raises(RefusedError, match="it ended as failure; feature is no maintenance line"):
        commit_of(shop, runtime("workflow_run", workflow_run=run))


@pytest.mark.world
def test_a_commit_that_is_no_longer_on_its_line_does_not_go(shop: Shop) -> None:
    elsewhere = shop.commit("feat: force-pushed away", branch="feature")
    shop.commit(branch=LINE)
    with pytest.raises(RefusedError, match=rf"{elsewhere[:7]} is not on {LINE} any more"):
        commit_of(shop, runtime("workflow_run", workflow_run=run_of_ci(elsewhere)))


@pytest.mark.world
@pytest.mark.parametrize("commit", ["c" * 40, "main"])
def test_nor_one_that_is_gone_or_a_name(shop: Shop, commit: str) -> None:
    shop.commit(branch=LINE)
    shop.commit()
    with pytest.raises(RefusedError, match="is not on"):
        commit_of(shop, runtime("workflow_run", workflow_run=run_of_ci(commit)))


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ("release/1.x", True),
        ("release/1.2.x", True),
        ("release/1.2", True),
        ("release/1", True),
        ("release/10.20.x", True),
        ("release/", False),
        ("release/x", False),
        ("release/1.x/evil", False),
        ("release/1.2.3.x", False),
        ("release/next", False),
        ("release/1.x\n", False),
        ("feature/release/1.x", False),
        ("main", False),
    ],
)
def test_what_a_maintenance_line_is(branch: str, expected: bool) -> None:
    assert candidate.is_maintenance(parse(MANIFEST), branch) == expected


# asked for by someone --------------------------------------------------------------------------------------------------


@pytest.mark.world
def test_an_earlier_commit_of_main_goes_there_when_someone_asks_for_it(shop: Shop) -> None:
    commit = shop.commit()
    shop.commit()
    assert commit_of(shop, runtime("workflow_dispatch", inputs={"commit": commit})) == commit


@pytest.mark.world
@pytest.mark.parametrize("commit", ["", "main", "abc1234", "A" * 40, "a" * 40 + " " + "b" * 40, "../main"])
def test_what_is_no_whole_commit_does_not(shop: Shop, commit: str) -> None:
    with pytest.raises(InputError, match="is no whole SHA of a commit"):
        commit_of(shop, runtime("workflow_dispatch", inputs={"commit": commit}))


@pytest.mark.world
def test_nor_does_one_that_was_not_merged(shop: Shop) -> None:
    commit = shop.commit(branch="feature")
    with pytest.raises(RefusedError, match=f"{commit[:7]} is not on main"):
        commit_of(shop, runtime("workflow_dispatch", inputs={"commit": commit}))


# superseded -------------------------------------------------------------------------------------------------------------


def deployed(
    shop: Shop, commit: str, *, event: str = "push", branch: str = "main", job: str = candidate.GO_LIVE
) -> Run:
    return shop.workflow("deploy-staging.yml", "Deploy to Staging", job, commit=commit, event=event, branch=branch)


def superseded_by(shop: Shop, run: Run, event: str = "push", **environ: str) -> str:
    """As the plan of a run asks."""
    given = {"GITHUB_EVENT_NAME": event, "GITHUB_RUN_ID": str(run.id), "GITHUB_RUN_ATTEMPT": "1", **environ}
    made = Runtime(environ=given, stream=io.StringIO())
    return candidate.superseded_by(made, run.head_sha, parse(MANIFEST), shop.client(shop.job().token))


@pytest.mark.world
def test_a_push_steps_aside_for_the_newest_that_waits(shop: Shop) -> None:
    runs = [deployed(shop, shop.commit()) for _ in range(3)]
    assert [superseded_by(shop, run) for run in runs] == [runs[2].head_sha, runs[2].head_sha, ""]


@pytest.mark.world
@pytest.mark.parametrize(
    ("conclusion", "job", "steps_aside"),
    [
        ("success", candidate.GO_LIVE, True),
        ("success", "Plan", False),
        ("failure", candidate.GO_LIVE, False),
        ("cancelled", candidate.GO_LIVE, False),
    ],
    ids=["went live", "superseded itself", "failed", "cancelled"],
)
def test_and_for_one_that_went_live_meanwhile(shop: Shop, conclusion: str, job: str, *, steps_aside: bool) -> None:
    older, newer = deployed(shop, shop.commit()), deployed(shop, shop.commit(), job=job)
    shop.end(newer, conclusion)
    assert superseded_by(shop, older) == (newer.head_sha if steps_aside else "")


@pytest.mark.world
def test_on_purpose_it_steps_aside_for_nobody(shop: Shop) -> None:
    """By a dispatch, or run again."""
    older = deployed(shop, shop.commit())
    deployed(shop, shop.commit())
    assert superseded_by(shop, older, "workflow_dispatch") == ""
    assert superseded_by(shop, older, GITHUB_RUN_ATTEMPT="2") == ""


@pytest.mark.world
def test_what_does_not_hold_it_supersedes_nothing(shop: Shop) -> None:
    """Another branch's commit, a maintenance line's run, and a branch that was forced elsewhere."""
    elsewhere = shop.commit(branch="elsewhere")
    older = deployed(shop, shop.commit())
    deployed(shop, shop.commit(branch=LINE), event="workflow_run")
    deployed(shop, shop.commit(branch="feature"), branch="feature")
    deployed(shop, elsewhere)
    assert superseded_by(shop, older) == ""
