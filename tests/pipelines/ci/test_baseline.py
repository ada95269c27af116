"""Where each check last passed: for merges, squashes, rebases, queues, red parents and whatever a forger might try."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.ci import baseline
from pipelines.ci.baseline import Place, find
from pipelines.manifest import parse
from tests.pipelines.ci.history import Repository
from tests.pipelines.ci.past import Past

MANIFEST = parse("""
platform: {name: shop, repository: shop/shop}
components: {api: {paths: ["a.txt"]}, site: {paths: ["b.txt"]}}
ci:
  checks:
    api-tests: {run: [pytest], components: [api]}
    site-tests: {run: [npm test], components: [site]}
environments: {}
""")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def at(repository: Repository, past: Past, tip: str, *, before: str = "", branch: str = "main") -> dict[str, str]:
    """Check -> the commit it is compared from."""
    place = Place(tip=tip, before=before, branch=branch, default_branch="main")
    found = find(past, repository.root, MANIFEST, place)  # type: ignore[arg-type]
    assert found.unknown == ""
    return {name: passed.commit for name, passed in found.passed.items()}


def both(commit: str) -> dict[str, str]:
    return {"api-tests": commit, "site-tests": commit}


def test_it_is_the_newest_commit_below_that_passed(repository: Repository) -> None:
    past = Past()
    past.ran(repository.base, api_tests="success", site_tests="success")
    newer = repository.commit({"a.txt": "1"})
    past.ran(newer, api_tests="success")  # nothing that the site depends on had changed: skipped by plan
    assert at(repository, past, repository.commit({"a.txt": "2"})) == both(newer)


def test_a_check_that_was_red_is_compared_from_where_it_was_green(repository: Repository) -> None:
    past = Past()
    past.ran(repository.base, api_tests="success", site_tests="success")
    red = repository.commit({"a.txt": "1"})
    past.ran(red, api_tests="failure", site_tests="success")
    head = repository.commit({"docs.md": "x"})
    assert at(repository, past, head) == {"api-tests": repository.base, "site-tests": red}


def test_what_a_red_run_does_not_tell_of_is_asked_further_below(repository: Repository) -> None:
    """It may have been skipped by plan, or it vanished: nobody can tell the two apart."""
    past = Past()
    past.ran(repository.base, api_tests="success", site_tests="success")
    past.ran(repository.commit({"a.txt": "1"}), api_tests="failure")
    assert at(repository, past, repository.commit({})) == both(repository.base)


@pytest.mark.parametrize("conclusion", ["cancelled", "skipped", "timed_out"])
def test_only_success_is_green(repository: Repository, conclusion: str) -> None:
    past = Past()
    past.ran(repository.base, api_tests=conclusion, site_tests="success")
    assert at(repository, past, repository.commit({})) == {"site-tests": repository.base}


def test_the_newest_run_of_a_commit_counts(repository: Repository) -> None:
    past = Past()
    past.ran(repository.base, api_tests="success", site_tests="success")
    past.ran(repository.base, api_tests="failure", ci="failure")
    assert at(repository, past, repository.commit({})) == {"site-tests": repository.base}


def test_a_check_with_a_job_for_each_python_needs_them_all(repository: Repository) -> None:
    manifest = parse("""
platform: {name: shop, repository: shop/shop}
components: {api: {paths: ["a.txt"]}}
ci: {checks: {tests: {run: [pytest], components: [api], pythons: ["3.11", "3.14"]}}}
environments: {}
""")
    place = Place(tip=repository.base, before="", branch="main", default_branch="main")
    for jobs, green in (
        ({"tests (Python 3.11)": "success", "tests (Python 3.14)": "success"}, True),
        ({"tests (Python 3.11)": "success"}, False),
        ({"tests (Python 3.11)": "success", "tests (Python 3.14)": "failure"}, False),
    ):
        past = Past()
        past.ran(repository.base, **jobs)
        found = find(past, repository.root, manifest, place)  # type: ignore[arg-type]
        assert ("tests" in found.passed) is green


def test_a_first_commit_has_nothing_below(repository: Repository) -> None:
    assert at(repository, Past(), repository.base) == {}


def test_the_very_commit_may_have_passed_elsewhere(repository: Repository) -> None:
    """A maintenance line begins at a commit of main."""
    past = Past()
    past.ran(repository.base)
    assert at(repository, past, repository.base, branch="release/1.x") == both(repository.base)


def test_what_passed_on_a_branch_that_anybody_may_push_to_proves_nothing(repository: Repository) -> None:
    past = Past()
    past.ran(repository.base, branch="release/evil")
    head = repository.commit({})
    past.ran(head, branch="develop")
    assert at(repository, past, head) == {}


@pytest.mark.parametrize("event", ["workflow_dispatch", "schedule", "pull_request_target"])
def test_runs_by_other_events_prove_nothing(repository: Repository, event: str) -> None:
    past = Past()
    past.ran(repository.base, event=event)
    assert at(repository, past, repository.commit({})) == {}


def test_another_workflow_with_a_job_of_that_name_proves_nothing(repository: Repository) -> None:
    past = Past()
    past.ran(repository.base, path=".github/workflows/mine.yml", ci="success")
    assert at(repository, past, repository.commit({})) == {}


def test_a_merged_line_counts_where_it_was_green_on_main(repository: Repository) -> None:
    past = Past()
    repository.git("branch", "release/1.x")
    main = repository.commit({"a.txt": "1"})
    past.ran(main)
    repository.git("checkout", "-q", "release/1.x")
    assert at(repository, past, repository.merge("main"), branch="release/1.x") == both(main)


# the same files passed as a pull request ----------------------------------------------------------------------------------


def test_a_fast_forward_to_a_checked_head_is_checked(repository: Repository) -> None:
    past = Past()
    head = repository.commit({"a.txt": "1"})
    past.ran(head, event="pull_request", branch="feature", api_tests="success", site_tests="success")
    past.pull(head, head)
    assert at(repository, past, head, before=repository.base) == both(head)


def test_a_merge_whose_head_had_all_of_main_is_checked(repository: Repository) -> None:
    past = Past()
    head = repository.branch("feature", {"a.txt": "1"})
    merge = repository.merge("feature")
    past.ran(head, event="pull_request", branch="feature")
    past.pull(merge, head)
    past.newer.add((repository.base, head))
    past.trees[head] = repository.git("rev-parse", f"{head}^{{tree}}")
    assert at(repository, past, merge, before=repository.base) == both(merge)


def test_a_squash_of_a_head_that_this_clone_lacks_is_checked(repository: Repository) -> None:
    past = Past()
    squash, head = repository.commit({"a.txt": "1"}), "e" * 40
    past.ran(head, event="pull_request", branch="feature")
    past.pull(squash, head)
    past.newer.add((repository.base, head))
    past.trees[head] = repository.git("rev-parse", f"{squash}^{{tree}}")
    assert at(repository, past, squash, before=repository.base) == both(squash)


def test_a_head_that_lacked_something_of_main_was_checked_as_another_tree(repository: Repository) -> None:
    past = Past()
    past.ran(repository.base)
    head = repository.branch("feature", {"a.txt": "1"})
    main = repository.commit({"b.txt": "1"})
    merge = repository.merge("feature")
    past.ran(head, event="pull_request", branch="feature")
    past.pull(merge, head)
    past.trees[head] = repository.git("rev-parse", f"{head}^{{tree}}")
    assert at(repository, past, merge, before=main) == both(repository.base)


def test_a_merge_with_other_files_than_its_head_was_not_checked(repository: Repository) -> None:
    past = Past()
    head = repository.branch("feature", {"a.txt": "1"})
    repository.git("merge", "-q", "--no-ff", "--no-commit", "feature")
    merge = repository.commit({"b.txt": "slipped in"})
    past.ran(head, event="pull_request", branch="feature")
    past.pull(merge, head)
    past.newer.add((repository.base, head))
    past.trees[head] = repository.git("rev-parse", f"{head}^{{tree}}")
    assert at(repository, past, merge, before=repository.base) == {}


@pytest.mark.parametrize("pull", [{"base": "other"}, {"merged": False}])
def test_a_pull_request_into_another_branch_or_one_that_was_refused_proves_nothing(
    repository: Repository, pull: dict[str, str]
) -> None:
    past = Past()
    past.ran(repository.base, event="pull_request", branch="feature")
    past.pull(repository.base, repository.base, **pull)  # type: ignore[arg-type]
    assert at(repository, past, repository.base) == {}


def test_a_red_push_is_not_made_green_by_its_pull_request(repository: Repository) -> None:
    past = Past()
    past.ran(repository.base, event="pull_request", branch="feature")
    past.pull(repository.base, repository.base)
    past.ran(repository.base, api_tests="failure", site_tests="success")
    assert at(repository, past, repository.base) == {"site-tests": repository.base}


def test_what_the_merge_queue_checked_is_what_main_becomes(repository: Repository) -> None:
    past = Past()
    past.ran(repository.base, event="merge_group", branch="gh-readonly-queue/main/pr-7-abc")
    assert at(repository, past, repository.base) == both(repository.base)


# what cannot be known ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("silent", ["workflows/ci.yml/runs", "/jobs", "/pulls"])
def test_silence_proves_nothing(repository: Repository, silent: str) -> None:
    past = Past(silent=silent)
    past.ran(repository.base, api_tests="success")
    place = Place(tip=repository.commit({}), before="", branch="main", default_branch="main")
    found = find(past, repository.root, MANIFEST, place)  # type: ignore[arg-type]
    assert (found.passed, found.unknown) == ({}, "GitHub cannot say what passed before: GitHub cannot be reached")


def test_a_commit_that_is_not_in_the_clone_proves_nothing(repository: Repository) -> None:
    place = Place(tip="e" * 40, before="", branch="main", default_branch="main")
    found = find(Past(), repository.root, MANIFEST, place)  # type: ignore[arg-type]
    assert found.passed == {}
    assert "git cannot say what came before" in found.unknown


def test_a_push_asks_github_little(repository: Repository) -> None:
    """A repository has 1,000 requests an hour for all its jobs."""
    past = Past()
    past.ran(repository.base, api_tests="success", site_tests="success")
    for number in range(30):
        repository.commit({"a.txt": str(number)})
    assert at(repository, past, repository.head()) == both(repository.base)
    assert len(past.asked) <= 6, past.asked
    assert baseline.LOOKED_AT >= 100
