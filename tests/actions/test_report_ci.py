from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actions.report_ci import main

PLAN = [{"check": "lint", "title": "Lint and type check", "runs": True, "why": "x"}]
LEGS = [{"name": "lint", "check": "lint", "title": "Lint and type check"}]
NEEDS = json.dumps(
    {
        "plan": {"result": "success", "outputs": {"plan": json.dumps(PLAN), "legs": json.dumps(LEGS)}},
        "check": {"result": "success", "outputs": {}},
    }
)
TITLE = "::error::x\n@everyone | <img>"


def pull(source: str = "shop/shop") -> dict[str, Any]:
    return {"pull_request": {"number": 7, "title": TITLE, "head": {"sha": "abcdef0123", "repo": {"full_name": source}}}}


@pytest.fixture
def reporting(step: Any, conversation: Any) -> Any:
    """A step that can reach GitHub, in a workspace with the result of a check."""
    Path("results").mkdir()
    Path("results/lint.json").write_text('{"passed": true, "seconds": 1.2, "tests": null}')
    run = {"GITHUB_RUN_ID": "99", "GITHUB_RUN_NUMBER": "12", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_SHA": "f" * 40}
    step.environ |= {"GITHUB_REPOSITORY": "shop/shop", "GITHUB_API_URL": conversation.url, **run}
    step.event(pull())
    return step


def test_a_comment_is_written_and_the_summary_is_the_same(reporting: Any, conversation: Any) -> None:
    conversation.jobs = [
        {"name": "Lint and type check", "conclusion": "success", "html_url": "https://github.example/job/5"}
    ]
    assert reporting.run(main, needs=NEEDS, token="t0ken") == 0
    body = conversation.comments[0]["body"]
    assert body.startswith("<!-- shipmate-ci ci.yml run=12 attempt=1 -->\n### ✅ CI: 1 checks passed")
    assert "| [Lint and type check](https://github.example/job/5) | ✅ passed | 1.2 s |" in body
    assert reporting.summary().strip() == body.partition("\n")[2]


def test_run_again_it_updates_its_own(reporting: Any, conversation: Any) -> None:
    for attempt in ("1", "2"):
        reporting.environ["GITHUB_RUN_ATTEMPT"] = attempt
        assert reporting.run(main, needs=NEEDS, token="t0ken") == 0
    assert len(conversation.comments) == 1
    assert "run 12, attempt 2" in conversation.comments[0]["body"]


def test_a_forks_token_leaves_the_report_in_the_summary(reporting: Any, conversation: Any) -> None:
    conversation.read_only = True
    reporting.event(pull(source="dev-1/shop"))
    assert reporting.run(main, needs=NEEDS, token="t0ken") == 0
    assert "### ✅ CI" in reporting.summary()
    assert "a fork's token cannot comment" in reporting.commands("notice")[0]
    assert not conversation.comments


def test_our_own_token_without_the_permission_is_a_warning(reporting: Any, conversation: Any) -> None:
    conversation.read_only = True
    assert reporting.run(main, needs=NEEDS, token="t0ken") == 0
    assert "permissions" in reporting.commands("warning")[0]


def test_a_push_has_no_pull_request(reporting: Any, conversation: Any) -> None:
    reporting.event({"before": "0" * 40}, "push")
    assert reporting.run(main, needs=NEEDS, token="t0ken") == 0
    assert "### ✅ CI" in reporting.summary()
    assert not conversation.comments


def test_the_title_of_the_pull_request_goes_nowhere(reporting: Any, conversation: Any) -> None:
    assert reporting.run(main, needs=NEEDS, token="t0ken") == 0
    assert "everyone" not in reporting.log + reporting.summary() + conversation.comments[0]["body"]


def test_the_token_is_masked_before_anything_is_printed(reporting: Any) -> None:
    assert reporting.run(main, needs=NEEDS, token="t0ken") == 0
    assert reporting.log.startswith("::add-mask::t0ken\n")
    assert reporting.log.count("t0ken") == 1


def test_without_a_token_it_names_what_is_missing(reporting: Any) -> None:
    assert reporting.run(main, needs=NEEDS) == 5
    assert "not given: token" in reporting.log
