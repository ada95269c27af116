"""Every way a clone can mislead: shallow, without tags, detached, bare, empty, with odd settings and wrong clocks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipelines.errors import InputError
from pipelines.manifest.release import Release
from release.commits.git import Git
from release.versions.decision import decide
from release.versions.repository import Repository
from tests.release.histories import Planned, git, line, make
from tests.release.versions.test_version_decision import next_of, version


def test_next__workflow_checkout__finds_its_branch(tmp_path: Path) -> None:
    from release.context import ReleaseContext

    ids = make(tmp_path, line("feat: a", "fix: b"), tags={"v1.0.0": 0}, branches={"release/1.x": 1})
    git(tmp_path, "checkout", "-q", "--detach", ids[1])
    environ = {"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "release/1.x", "GITHUB_SHA": ids[1]}
    assert ReleaseContext(folder=tmp_path, environ=environ).repository.branch == "release/1.x"
    assert ReleaseContext(folder=tmp_path, environ={**environ, "GITHUB_SHA": ids[0]}).repository.branch is None


def test_clone__shallow__is_an_error_with_the_command(tmp_path: Path) -> None:
    make(tmp_path / "a", line("feat: a", "fix: b"), tags={"v1.0.0": 0})
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{tmp_path}/a", str(tmp_path / "b")], check=True)
    with pytest.raises(InputError, match="shallow") as raised:
        next_of(tmp_path / "b")
    assert "git fetch --unshallow --tags" in raised.value.next_step
    git(tmp_path / "b", "fetch", "-q", "--unshallow", "--tags")
    assert version(tmp_path / "b") == "1.0.1"


def test_clone__without_tags__is_an_error_with_the_command(tmp_path: Path) -> None:
    make(tmp_path / "a", line("feat: a", "fix: b", "fix: c"), tags={"v1.0.0": 0, "v1.0.1": 1}, annotated=["v1.0.1"])
    subprocess.run(["git", "clone", "-q", "--no-tags", str(tmp_path / "a"), str(tmp_path / "b")], check=True)
    with pytest.raises(
        InputError, match=r"2 release tag\(s\) of the remote are missing here, such as v1\.0\.1"
    ) as raised:
        next_of(tmp_path / "b")
    assert raised.value.next_step == "git fetch --tags origin"
    git(tmp_path / "b", "fetch", "-q", "origin", "tag", "v1.0.0")
    with pytest.raises(InputError, match=r"such as v1\.0\.1"):
        next_of(tmp_path / "b")
    git(tmp_path / "b", "fetch", "-q", "--tags", "origin")
    assert version(tmp_path / "b") == "1.0.2"


def test_clone__remote_without_releases__is_no_error(tmp_path: Path) -> None:
    make(tmp_path / "a", line("feat: a"), tags={"nightly": 0})
    subprocess.run(["git", "clone", "-q", str(tmp_path / "a"), str(tmp_path / "b")], check=True)
    assert version(tmp_path / "b") == "0.1.0"


def test_clone__remote_gone__warns(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a"))
    git(tmp_path, "remote", "add", "origin", str(tmp_path / "nowhere"))
    assert "could not be asked" in next_of(tmp_path).warnings[0]


def test_folder__no_repository_no_commit_no_such_commit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a git repository"):
        next_of(tmp_path)
    with pytest.raises(InputError, match="not a git repository"):
        next_of(tmp_path / "nowhere")
    make(tmp_path / "a", [])
    with pytest.raises(InputError, match="no commit yet"):
        next_of(tmp_path / "a")
    make(tmp_path / "b", line("feat: a"))
    with pytest.raises(InputError, match="no commit 'v9'"):
        next_of(tmp_path / "b", commit="v9")


def test_bare_repository(tmp_path: Path) -> None:
    make(tmp_path / "a", line("feat: a", "fix: b"), tags={"v1.0.0": 0})
    subprocess.run(["git", "clone", "-q", "--bare", str(tmp_path / "a"), str(tmp_path / "b.git")], check=True)
    assert version(tmp_path / "b.git") == "1.0.1"
    with pytest.raises(InputError, match="no working tree"):
        Git(tmp_path / "b.git").top()
    with pytest.raises(InputError, match="not a git repository"):
        Git(tmp_path).top()


def test_next__git_is_called_as_often_for_thousands_of_tags(tmp_path: Path) -> None:
    few = line("chore: begin", "fix: a")
    many = line(*[f"fix: change {n}" for n in range(3000)])
    make(tmp_path / "few", few, tags={"v1.0.0": 0})
    make(tmp_path / "many", many, tags={f"v1.{n}.0": n for n in range(2990)})
    calls = []
    for name in ("few", "many"):
        repository = Repository.open(Git(tmp_path / name), Release())
        decide(repository.facts(), Release(), repository.component)
        calls.append(repository.git.calls)
    assert calls[0] == calls[1] <= 6
    assert version(tmp_path / "many") == "1.2989.1"


def test_next__settings_of_the_user__change_nothing(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "fix: b"), tags={"v1.0.0": 0})
    for setting in ("log.showSignature", "log.follow", "log.decorate", "color.ui"):
        git(tmp_path, "config", setting, "always" if setting == "color.ui" else "true")
    git(tmp_path, "config", "format.pretty", "oneline")
    git(tmp_path, "config", "i18n.logOutputEncoding", "latin1")
    assert version(tmp_path) == "1.0.1"


def test_next__wrong_clocks__what_is_released_is_not_pending(tmp_path: Path) -> None:
    """A long chain with dates of long ago lies between a release and a commit it contains: git alone, asked what v1.1.0 does not
    have, stops looking before it gets there."""
    now = 1_700_000_000
    commits = [Planned("chore: begin", (), now), Planned("feat!: released already", (0,), now + 9_000_000)]
    for number in range(2, 14):
        commits.append(Planned(f"chore: {number}", (number - 1,), 1_000 + number))
    commits.append(Planned("fix: new", (1,), now + 9_000_060))
    commits.append(Planned("Merge branch 'topic'", (13, 14), now + 9_000_120))
    ids = make(tmp_path, commits, tags={"v1.0.0": 0, "v1.1.0": 13})
    fooled = git(tmp_path, "log", "--format=%s", "HEAD", "--not", "v1.1.0")
    assert "released already" in fooled, "if git learns better, the detour can go"
    decision = next_of(tmp_path)
    assert [verdict.commit.hash for verdict in decision.verdicts] == [ids[15], ids[14]]
    assert str(decision.version) == "1.1.1"


def test_next__topic_branch_from_before_the_release__reads_what_is_new(tmp_path: Path) -> None:
    """The topic branch began at a commit that has no tag, and was merged after the release: git is asked once more, down to there."""
    now = 1_700_000_000
    commits = [Planned(f"fix: {n}", (n - 1,) if n else (), now + n * 60) for n in range(200)]
    commits.append(Planned("feat: topic", (150,), now + 151 * 60))
    commits.append(Planned("Merge branch 'topic'", (199, 200), now + 201 * 60))
    ids = make(tmp_path, commits, tags={f"v1.{n}.0": n * 10 for n in range(1, 15)} | {"v1.15.0": 190})
    repository = Repository.open(Git(tmp_path), Release())
    since = repository.since(repository.released)
    assert not since.whole
    assert [each.hash for each in since.commits] == [ids[201], *reversed(ids[191:200]), ids[200]]
    assert [each.tag for each in since.below] == ["v1.15.0"]


def test_since__wrong_clocks_in_a_topic_branch__reads_all(tmp_path: Path) -> None:
    """The release has the topic branch by a merge that looks old; what is pending has it by another merge."""
    now = 1_700_000_000
    commits = [Planned("chore: begin", (), now), Planned("feat!: topic", (0,), now + 9_000_000)]
    commits.append(Planned("Merge branch 'topic'", (0, 1), 1_000))
    commits += [Planned(f"chore: {number}", (number - 1,), 1_000 + number) for number in range(3, 14)]
    commits.append(Planned("fix: new", (13,), now + 9_000_060))
    commits.append(Planned("Merge branch 'topic' again", (14, 1), now + 9_000_120))
    ids = make(tmp_path, commits, tags={"v1.0.0": 0, "v1.1.0": 13})
    repository = Repository.open(Git(tmp_path), Release())
    since = repository.since(repository.released)
    assert since.whole
    assert [each.hash for each in since.commits] == [ids[15], ids[14]]


def test_next__tag_on_no_commit__is_passed_over(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "fix: b"), tags={"v1.0.0": 0})
    git(tmp_path, "tag", "v9.0.0", "HEAD^{tree}")
    assert version(tmp_path) == "1.0.1"
