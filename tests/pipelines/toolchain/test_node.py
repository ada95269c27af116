from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from pipelines.errors import LocalError
from pipelines.toolchain import node


class Project:
    """A project that depends on a package beside it: npm needs no network for that."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "app"
        self.home = root / "home"
        self.folder.mkdir()
        self.messages: list[str] = []
        self.lock()

    def lock(self, extra: str = "") -> None:
        packages = {"": {"name": "app", "description": extra}}
        lock = {"name": "app", "lockfileVersion": 3, "requires": True, "packages": packages}
        (self.folder / "package.json").write_text(json.dumps({"name": "app", "private": True, "description": extra}))
        (self.folder / "package-lock.json").write_text(json.dumps(lock))

    def ensure(self) -> None:
        node.ensure(self.folder, self.home, self.messages.append)

    def tree(self) -> Path:
        return (self.folder / "node_modules").resolve()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_modules_are_installed_once_and_linked(project: Project) -> None:
    assert not node.fits(project.folder, project.home)
    project.ensure()
    assert node.fits(project.folder, project.home)
    assert project.tree().is_relative_to(project.home / "trees")
    project.messages.clear()
    project.ensure()
    assert project.messages == []


def test_another_lock_is_another_tree_and_the_first_stays(project: Project) -> None:
    project.ensure()
    first = project.tree()
    project.lock("changed")
    assert not node.fits(project.folder, project.home)
    project.ensure()
    assert project.tree() != first
    assert first.is_dir()


def test_two_at_once_share_one_tree(project: Project) -> None:
    threads = [threading.Thread(target=project.ensure) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert node.fits(project.folder, project.home)
    assert len(list((project.home / "trees").iterdir())) == 1


def test_modules_that_someone_installed_by_hand_stay(project: Project) -> None:
    (project.folder / "node_modules").mkdir()
    (project.folder / "node_modules" / "theirs").touch()
    project.ensure()
    assert (project.folder / "node_modules" / "theirs").exists()
    assert "left as it is" in project.messages[0]


def test_a_link_to_a_deleted_home_is_made_again(project: Project) -> None:
    project.ensure()
    tree = project.tree()
    for path in [tree, *project.tree().parent.iterdir()]:
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    tree.parent.rmdir()
    assert not node.fits(project.folder, project.home)
    project.ensure()
    assert node.fits(project.folder, project.home)


def test_npm_that_fails_says_its_words_and_leaves_nothing(project: Project) -> None:
    (project.folder / "package-lock.json").write_text('{"lockfileVersion": 3,')
    with pytest.raises(LocalError, match="npm failed") as caught:
        project.ensure()
    assert "npm error" in caught.value.what
    assert list((project.home / "trees").iterdir()) == []


def test_no_node_says_how_to_get_it(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node._node_version.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(LocalError, match="node is not installed") as caught:
        project.ensure()
    assert "apt-get install nodejs" in caught.value.next_step
    node._node_version.cache_clear()
