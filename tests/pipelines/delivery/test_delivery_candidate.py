"""Which commit goes to staging: main's own, or that of a maintenance line whose CI has passed; never by the branch's own workflow."""

from __future__ import annotations

import io
from typing import Any

import pytest

from pipelines.delivery import candidate
from pipelines.errors import InputError, RefusedError
from pipelines.manifest import parse
from pipelines.runtime import Runtime
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
@pytest.mark.parametrize("event", ["workflow_dispatch", "pull_request", "pull_request_target", "schedule", ""])
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
    ("otherwise", "said"),
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
def test_another_run_sends_nothing(shop: Shop, otherwise: dict[str, Any], said: str) -> None:
    commit = shop.commit(branch=LINE)
    with pytest.raises(RefusedError) as error:
        commit_of(shop, runtime("workflow_run", workflow_run=run_of_ci(commit, **otherwise)))
    assert said in error.value.what
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
