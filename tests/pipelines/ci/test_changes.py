from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pipelines.ci import changes
from pipelines.ci.affected import Changes
from pipelines.errors import InputError
from tests.pipelines.ci.history import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def pull(base: str) -> dict[str, Any]:
    return {"pull_request": {"base": {"sha": base, "ref": "main"}, "title": "::error::x\nsecond line"}}


def of_event(root: Path, name: str, event: dict[str, Any]) -> Changes:
    found = changes.of_event(root, name, event)
    assert found is not None
    return found


def test_a_pull_request_is_what_its_branch_brings(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit({"b.txt": "changed", "new/c.txt": "c"})
    repository.git("checkout", "-q", "main")
    base = repository.commit({"on-main.txt": "others"})
    repository.merge_of_pull("feature")
    found = of_event(repository.root, "pull_request", pull(base))
    assert found.paths == ("b.txt", "new/c.txt")
    assert base[:7] in found.since


def test_a_branch_may_be_called_anything(repository: Repository) -> None:
    name = "$(touch${IFS}x)"
    repository.git("checkout", "-q", "-b", name)
    repository.commit({"b.txt": "changed"})
    repository.merge_of_pull(name)
    event = pull(repository.base)
    event["pull_request"]["head"] = {"ref": name}
    assert of_event(repository.root, "pull_request", event).paths == ("b.txt",)
    assert not (repository.root / "x").exists()


def test_a_merge_group_is_what_came_since_its_base(repository: Repository) -> None:
    repository.commit({"b.txt": "changed"})
    repository.commit({"c.txt": "new"})
    found = of_event(repository.root, "merge_group", {"merge_group": {"base_sha": repository.base}})
    assert found.paths == ("b.txt", "c.txt")


def test_a_push_is_not_judged_by_the_push_before(repository: Repository) -> None:
    """That may have been red: what each check is compared with is found by where it last passed."""
    repository.commit({"b.txt": "changed"})
    assert changes.of_event(repository.root, "push", {"before": repository.base}) is None
    assert changes.of_event(repository.root, "push", {"before": "0" * 40}) is None


def test_what_came_since_a_commit(repository: Repository) -> None:
    repository.commit({"b.txt": "changed"})
    repository.commit({"c.txt": "new"})
    assert changes.between(repository.root, repository.base).paths == ("b.txt", "c.txt")


def test_all_that_is_below_a_commit_is_found_through_merged_heads_too(repository: Repository) -> None:
    head = repository.branch("feature", {"b.txt": "changed"})
    merge = repository.merge("feature")
    below = changes.ancestors(repository.root, merge, 10)
    assert below[0] == merge
    assert set(below) == {merge, head, repository.base}
    assert changes.first_parent(repository.root, merge) == repository.base
    assert changes.first_parent(repository.root, repository.base) == ""
    assert changes.tree(repository.root, merge) == changes.tree(repository.root, head)


def test_a_rename_is_both_names(repository: Repository) -> None:
    repository.git("mv", "a.txt", "z.txt")
    repository.commit({})
    assert changes.between(repository.root, repository.base).paths == ("a.txt", "z.txt")


def test_names_with_newlines_and_quotes_come_whole(repository: Repository) -> None:
    odd = 'it"s\nodd\té.txt'
    repository.commit({odd: "x"})
    assert changes.between(repository.root, repository.base).paths == (odd,)


def test_a_name_that_is_not_utf8_does_not_stop_us(repository: Repository) -> None:
    (repository.root / os.fsdecode(b"latin-\xe9.txt")).write_text("x")
    repository.commit({})
    assert changes.between(repository.root, repository.base).paths == ("latin-\udce9.txt",)


@pytest.mark.parametrize("commit", ["", "0" * 40, "--output=/tmp/x", "main"])
def test_no_commit_is_nothing_to_compare_with(repository: Repository, commit: str) -> None:
    found = changes.between(repository.root, commit)
    assert found.paths is None
    assert "nothing to compare with" in found.unknown


@pytest.mark.parametrize("before", ["1234567" + "8" * 33, "--output=/tmp/x"])
def test_a_push_over_a_history_that_is_gone_is_not_known(repository: Repository, before: str) -> None:
    found = of_event(repository.root, "push", {"before": before})
    assert found.paths is None
    assert "is not in this clone: it was rewritten" in found.unknown


def test_a_shallow_clone_is_not_known(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"b.txt": "changed"})
    shallow = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth=1", f"file://{repository.root}", str(shallow))
    found = of_event(shallow, "push", {"before": repository.base})
    assert found.paths is None
    assert "shallow" in found.unknown


def test_no_repository_is_not_known(tmp_path: Path) -> None:
    assert of_event(tmp_path, "push", {"before": "a" * 40}).paths is None


@pytest.mark.parametrize("name", ["workflow_dispatch", "schedule", ""])
def test_other_events_check_everything(repository: Repository, name: str) -> None:
    assert of_event(repository.root, name, {}).paths is None


@pytest.mark.parametrize("event", [{}, {"pull_request": None}, {"pull_request": {"base": "main"}}])
def test_an_event_without_a_base_is_not_known(repository: Repository, event: dict[str, Any]) -> None:
    assert of_event(repository.root, "pull_request", event).paths is None


def test_a_checkout_brings_commits_edits_and_new_files(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit({"committed.txt": "x"})
    (repository.root / "a.txt").write_text("edited")
    (repository.root / "new.txt").write_text("new")
    found = changes.of_checkout(repository.root, "main")
    assert found.paths is not None
    assert set(found.paths) == {"committed.txt", "a.txt", "new.txt"}


def test_a_checkout_without_such_a_base_says_so(repository: Repository) -> None:
    with pytest.raises(InputError, match="no commit 'mian'"):
        changes.of_checkout(repository.root, "mian")
    with pytest.raises(InputError, match="no commit '--help'"):
        changes.of_checkout(repository.root, "--help")


def test_the_usual_base_is_the_default_branch_of_origin(repository: Repository, tmp_path: Path) -> None:
    assert changes.usual_base(repository.root) == "main"
    repository.git("branch", "-m", "main", "trunk")
    clone = tmp_path / "clone"
    repository.git("clone", "-q", f"file://{repository.root}", str(clone))
    assert changes.usual_base(clone) == "origin/trunk"
