"""The release's own tree, and what of its CI the default branch never had."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.delivery.source import CI, checks_of_its_own, commit_of_release, has, tree
from pipelines.errors import InputError, RefusedError

WORKFLOW = "name: CI\njobs: {ci: {steps: [{run: make test}]}}\n"
TRIVIAL = 'name: CI\njobs: {ci: {steps: [{run: "true"}]}}\n'
CHECKS = "ci: {checks: {lint: {run: [ruff check]}}}\n"
NO_CHECKS = "ci: {checks: {lint: {run: ['true']}}}\n"


class Clone:
    """A repository with a default branch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.commit({CI: WORKFLOW, "shipmate.yml": CHECKS, "app.py": "1\n"})

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=dev-1", "-c", "user.email=dev-1@users.noreply.github.com"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, files: dict[str, str | None], branch: str = "main") -> str:
        """A commit on a branch, which is made from main when it is new; None deletes a file."""
        if branch != "main":
            known = has(self.folder, f"refs/heads/{branch}")
            self.git("switch", "-q", *([branch] if known else ["-c", branch, "main"]))
        elif has(self.folder, "HEAD"):
            self.git("switch", "-q", "main")
        for name, content in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink() if content is None else file.write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "feat: more")
        return self.git("rev-parse", "HEAD")

    def merge(self, branch: str, *how: str) -> str:
        self.git("switch", "-q", "main")
        self.git("merge", "-q", *how, branch)
        return self.git("rev-parse", "HEAD")

    def own(self, commit: str) -> list[str]:
        return checks_of_its_own(self.folder, commit, "main")


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    yield Clone(tmp_path / "clone")


def test_a_commit_on_the_default_branch_has_nothing_of_its_own(clone: Clone) -> None:
    first = clone.git("rev-parse", "main")
    second = clone.commit({CI: TRIVIAL, "shipmate.yml": NO_CHECKS})
    assert clone.own(first) == []
    assert clone.own(second) == []


def test_a_maintenance_line_with_mains_checks_has_none_either_also_with_those_of_a_former_day(clone: Clone) -> None:
    clone.git("branch", "release/1.x", "main")
    clone.commit({CI: WORKFLOW + "# more\n", "shipmate.yml": CHECKS + "platform: {}\n"})
    assert clone.own(clone.commit({"app.py": "2\n"}, "release/1.x")) == []


def test_a_workflow_that_the_default_branch_never_had_is_named(clone: Clone) -> None:
    commit = clone.commit({CI: TRIVIAL}, "release/1.x")
    assert clone.own(commit) == [f"{CI} of {commit[:7]} is none that main ever had"]


def test_a_workflow_that_was_deleted_is_named(clone: Clone) -> None:
    commit = clone.commit({CI: None}, "release/1.x")
    assert clone.own(commit) == [f"{CI} of {commit[:7]} is none that main ever had"]


@pytest.mark.parametrize("text", [NO_CHECKS, "platform: {name: x}\n", "ci: [", "ci:\n"])
def test_checks_that_the_default_branch_never_had_are_named(clone: Clone, text: str) -> None:
    """Other checks, none, or such that nobody can read."""
    commit = clone.commit({"shipmate.yml": text}, "release/1.x")
    assert clone.own(commit) == [f"the checks of {commit[:7]} (shipmate.yml, ci) are none that main ever had"]


@pytest.mark.parametrize("file", ["actions/gate_ci/__init__.py", "pipelines/ci/gate.py"])
def test_a_gate_of_ci_that_the_default_branch_never_had_is_named(clone: Clone, file: str) -> None:
    """The workflow is the default branch's to the letter, and calls what the commit brought."""
    clone.commit({file: "judge()\n"})
    commit = clone.commit({file: "raise SystemExit(0)\n"}, "release/1.x")
    folder = file.partition("/")[0]
    assert clone.own(commit) == [f"{folder}/ of {commit[:7]}, which CI runs, is none that main ever had"]


def test_other_keys_of_the_manifest_are_no_checks(clone: Clone) -> None:
    commit = clone.commit({"shipmate.yml": "alerts: {}\n# a comment\n" + CHECKS}, "release/1.x")
    assert clone.own(commit) == []


@pytest.mark.parametrize("more", ["", "# better\n"])
def test_what_a_merged_branch_had_on_its_way_is_not_what_main_had(clone: Clone, more: str) -> None:
    """A pull request ends well, but one commit on its way brings a CI that finds everything good."""
    clone.commit({CI: TRIVIAL, "shipmate.yml": NO_CHECKS}, "feature")
    on_the_way = clone.git("rev-parse", "HEAD")
    clone.commit({CI: WORKFLOW + more, "shipmate.yml": CHECKS + more, "app.py": "2\n"}, "feature")
    clone.merge("feature", "--no-ff", "-m", "Merge pull request #1")
    assert len(clone.own(on_the_way)) == 2
    clone.git("branch", "release/1.x", on_the_way)
    assert len(clone.own(clone.commit({"app.py": "3\n"}, "release/1.x"))) == 2


@pytest.mark.parametrize("how", [["--no-ff", "-m", "Merge"], ["--ff-only"]])
def test_what_a_merge_brought_main_had(clone: Clone, how: list[str]) -> None:
    clone.git("branch", "release/1.x", "main")
    clone.commit({CI: WORKFLOW + "# better\n"}, "feature")
    clone.merge("feature", *how)
    clone.commit({"app.py": "2\n"})
    assert clone.own(clone.commit({CI: WORKFLOW + "# better\n"}, "release/1.x")) == []


def test_a_tree_is_there_for_as_long_as_it_is_needed(clone: Clone) -> None:
    first = clone.git("rev-parse", "main")
    clone.commit({"app.py": "2\n"})
    with tree(clone.folder, first) as folder:
        assert (folder / "app.py").read_text() == "1\n"
    assert not folder.exists()
    assert len(clone.git("worktree", "list").splitlines()) == 1


def test_a_tree_is_gone_when_the_work_in_it_failed(clone: Clone) -> None:
    with pytest.raises(ZeroDivisionError), tree(clone.folder, "HEAD") as folder:
        raise ZeroDivisionError
    assert not folder.exists()
    assert len(clone.git("worktree", "list").splitlines()) == 1


def test_no_hook_of_the_checkout_has_a_say(clone: Clone, tmp_path: Path) -> None:
    hook = clone.folder / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/touched\n")
    hook.chmod(0o755)
    with tree(clone.folder, "HEAD"):
        pass
    assert not (tmp_path / "touched").exists()


def test_a_commit_that_the_clone_lacks(clone: Clone) -> None:
    with (
        pytest.raises(InputError, match=r"aaaaaaa cannot be looked at(.|\n)*fetch-depth: 0"),
        tree(clone.folder, "a" * 40),
    ):
        pass


def test_whether_a_clone_has_a_reference(clone: Clone) -> None:
    assert has(clone.folder, "refs/heads/main")
    assert not has(clone.folder, "refs/remotes/origin/main")


# the commit of what is live ----------------------------------------------------------------------------------------------


def is_line(branch: str) -> bool:
    return branch == "main" or branch.startswith("release/")


@pytest.fixture
def checkout(clone: Clone, tmp_path: Path) -> Path:
    """As a job has it, with history: branches are the remote's. A commit of a pull request is there, too."""
    clone.commit({"app.py": "2\n"}, "release/1.x")
    clone.git("tag", "-a", "-m", "1.0.1", "v1.0.1")
    clone.commit({"app.py": "3\n"}, "pull")
    clone.git("tag", "v9.9.9")
    clone.commit({"app.py": "4\n"})
    clone.git("tag", "v1.1.0")
    clone.git("clone", "-q", ".", str(tmp_path / "checkout"))
    return tmp_path / "checkout"


@pytest.mark.parametrize(("tag", "branch"), [("v1.1.0", "main"), ("v1.0.1", "release/1.x")])
def test_a_release_is_found_by_its_tag_and_by_its_commit(clone: Clone, checkout: Path, tag: str, branch: str) -> None:
    commit = clone.git("rev-parse", branch)
    assert commit_of_release(checkout, tag, is_line) == commit
    assert commit_of_release(checkout, f"sha-{commit[:7]}", is_line) == commit


@pytest.mark.parametrize(
    "name", ["v9.9.9", "sha-pull", "v2.0.0", "sha-0000000", "sha-main", "main", "HEAD", "", "--all", "sha-abc", "a..b"]
)
def test_what_is_no_release_is_not_run_whatever_an_address_says(clone: Clone, checkout: Path, name: str) -> None:
    """A commit of a branch that anybody may push is in the same repository."""
    asked = name.replace("pull", clone.git("rev-parse", "pull")[:7])
    with pytest.raises(RefusedError, match="is no release of this repository"):
        commit_of_release(checkout, asked, is_line)
