from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipelines.ci import changes
from pipelines.errors import InputError


class Repository:
    """A real repository in a folder of the test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")
        self.base = self.commit({"a.txt": "a", "b.txt": "b"})

    def git(self, *arguments: str) -> str:
        identity = {
            f"GIT_{who}_{what}": "dev-1@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        environ = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(
            ["git", "-C", str(self.root), *arguments], env=environ, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, files: dict[str, str]) -> str:
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")
        return self.git("rev-parse", "HEAD")

    def merge_of_pull(self, branch: str) -> None:
        """HEAD as a pull request's run has it: the merge of the branch into main, detached."""
        self.git("checkout", "-q", "--detach", "main")
        self.git("merge", "-q", "--no-ff", "-m", "merge", branch)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def pull(base: str) -> dict[str, Any]:
    return {"pull_request": {"base": {"sha": base, "ref": "main"}, "title": "::error::x\nsecond line"}}


def test_a_pull_request_is_what_its_branch_brings(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit({"b.txt": "changed", "new/c.txt": "c"})
    repository.git("checkout", "-q", "main")
    base = repository.commit({"on-main.txt": "others"})
    repository.merge_of_pull("feature")
    found = changes.of_event(repository.root, "pull_request", pull(base))
    assert found.paths == ("b.txt", "new/c.txt")
    assert base[:7] in found.since


def test_a_branch_may_be_called_anything(repository: Repository) -> None:
    name = "$(touch${IFS}x)"
    repository.git("checkout", "-q", "-b", name)
    repository.commit({"b.txt": "changed"})
    repository.merge_of_pull(name)
    event = pull(repository.base)
    event["pull_request"]["head"] = {"ref": name}
    assert changes.of_event(repository.root, "pull_request", event).paths == ("b.txt",)
    assert not (repository.root / "x").exists()


def test_a_push_is_what_came_since_the_one_before(repository: Repository) -> None:
    repository.commit({"b.txt": "changed"})
    repository.commit({"c.txt": "new"})
    found = changes.of_event(repository.root, "push", {"before": repository.base})
    assert found.paths == ("b.txt", "c.txt")


def test_a_push_is_compared_with_the_newest_commit_that_passed(repository: Repository) -> None:
    """What came before was found bad here: to look only at the push itself would call it well."""
    repository.commit({"bad.txt": "x"})
    before = repository.commit({"b.txt": "changed"})
    repository.commit({"c.txt": "new"})
    found = changes.of_event(repository.root, "push", {"before": before}, passed=lambda sha: sha == repository.base)
    assert found.paths == ("b.txt", "bad.txt", "c.txt")
    assert repository.base[:7] in found.since


def test_a_new_branch_is_compared_with_where_it_left(repository: Repository) -> None:
    repository.commit({"c.txt": "new"})
    found = changes.of_event(repository.root, "push", {"before": "0" * 40}, passed=lambda sha: sha == repository.base)
    assert found.paths == ("c.txt",)


def test_where_nothing_below_passed_everything_is_checked(repository: Repository) -> None:
    head = repository.commit({"c.txt": "new"})
    asked: list[str] = []
    found = changes.of_event(
        repository.root, "push", {"before": repository.base}, passed=lambda sha: bool(asked.append(sha))
    )
    assert (found.paths, asked) == (None, [repository.base])
    assert head not in asked  # it is what is to be checked
    assert "passed CI" in found.unknown


def test_a_rename_is_both_names(repository: Repository) -> None:
    repository.git("mv", "a.txt", "z.txt")
    repository.commit({})
    assert changes.of_event(repository.root, "push", {"before": repository.base}).paths == ("a.txt", "z.txt")


def test_names_with_newlines_and_quotes_come_whole(repository: Repository) -> None:
    odd = 'it"s\nodd\té.txt'
    repository.commit({odd: "x"})
    assert changes.of_event(repository.root, "push", {"before": repository.base}).paths == (odd,)


def test_a_name_that_is_not_utf8_does_not_stop_us(repository: Repository) -> None:
    (repository.root / os.fsdecode(b"latin-\xe9.txt")).write_text("x")
    repository.commit({})
    assert changes.of_event(repository.root, "push", {"before": repository.base}).paths == ("latin-\udce9.txt",)


@pytest.mark.parametrize("before", ["", "0" * 40, "--output=/tmp/x", "main", None])
def test_no_commit_before_is_not_known(repository: Repository, before: str | None) -> None:
    found = changes.of_event(repository.root, "push", {"before": before})
    assert found.paths is None
    assert "nothing to compare with" in found.unknown


def test_a_commit_that_is_gone_is_not_known(repository: Repository) -> None:
    found = changes.of_event(repository.root, "push", {"before": "1234567" + "8" * 33})
    assert found.paths is None
    assert "(1234567) is not in this clone" in found.unknown


def test_a_shallow_clone_is_not_known(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"b.txt": "changed"})
    shallow = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth=1", f"file://{repository.root}", str(shallow))
    found = changes.of_event(shallow, "push", {"before": repository.base})
    assert found.paths is None
    assert "shallow" in found.unknown


def test_no_repository_is_not_known(tmp_path: Path) -> None:
    assert changes.of_event(tmp_path, "push", {"before": "a" * 40}).paths is None


@pytest.mark.parametrize("name", ["workflow_dispatch", "schedule", ""])
def test_other_events_check_everything(repository: Repository, name: str) -> None:
    assert changes.of_event(repository.root, name, {}).paths is None


@pytest.mark.parametrize("event", [{}, {"pull_request": None}, {"pull_request": {"base": "main"}}])
def test_an_event_without_a_base_is_not_known(repository: Repository, event: dict[str, Any]) -> None:
    assert changes.of_event(repository.root, "pull_request", event).paths is None


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
