"""Kept worlds: found for exactly the tree they were made of, and only a few of them stay."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rehearsal.execution import world_cache


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository, which is the suite as well."""
    repository = tmp_path / "tree"
    repository.mkdir()
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    (repository / ".gitignore").write_text("ignored\n")
    (repository / "a.py").write_text("one\n")
    monkeypatch.setattr(world_cache, "SUITE", repository)
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    return repository


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A world as the quick start left it."""
    folder = tmp_path / "left"
    folder.mkdir()
    (folder / "state.json").write_text("{}")
    return folder


def keep(tree: Path) -> Path:
    kept = world_cache.keep(tree.parent / "left", tree)
    assert kept is not None
    return kept


def restored(tree: Path) -> bool:
    """Whether there is a kept world of this tree."""
    copy = tree.parent / "copy"
    found = world_cache.restore(tree, copy)
    assert copy.is_dir() is found
    shutil.rmtree(copy, ignore_errors=True)
    return found


@pytest.mark.usefixtures("left")
def test_a_world_is_found_for_the_same_tree_alone(tree: Path) -> None:
    assert not restored(tree)
    keep(tree)
    assert restored(tree)
    (tree / "ignored").write_text("build output")
    assert restored(tree)
    for change in ("new file", "content", "mode"):
        file = tree / ("b.py" if change == "new file" else "a.py")
        if change == "mode":
            file.chmod(0o755)
        else:
            file.write_text(change)
        assert not restored(tree), change
        keep(tree)


@pytest.mark.usefixtures("left")
def test_a_kept_world_is_not_written_again(tree: Path) -> None:
    kept = keep(tree)
    (kept / "state.json").write_text("first")
    assert keep(tree) == kept
    assert (kept / "state.json").read_text() == "first"


@pytest.mark.usefixtures("left")
def test_the_newest_stay_and_half_written_ones_of_the_dead_go(tree: Path) -> None:
    kept = []
    for number in range(4):
        (tree / "a.py").write_text(str(number))
        kept.append(keep(tree))
        os.utime(kept[-1], (1000 + number, 1000 + number))
    worlds = kept[0].parent
    dead, living = worlds / ".abc.999999999", worlds / f".abc.{os.getpid()}"
    dead.mkdir()
    living.mkdir()
    (tree / "a.py").write_text("last")
    kept.append(keep(tree))
    assert {one.name for one in worlds.iterdir()} == {kept[-2].name, kept[-1].name, living.name}


@pytest.mark.usefixtures("left")
def test_a_found_world_counts_as_used(tree: Path) -> None:
    kept = keep(tree)
    os.utime(kept, (1000, 1000))
    assert restored(tree)
    assert kept.stat().st_mtime > 1000


def test_a_tree_without_git_keeps_nothing(tree: Path, left: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    assert world_cache.folder(plain) is None
    assert not world_cache.restore(plain, tmp_path / "copy")
    assert world_cache.keep(left, plain) is None


@pytest.mark.usefixtures("left")
def test_its_age_is_reported(tree: Path) -> None:
    kept = keep(tree)
    os.utime(kept / "state.json", (1_800_000_000, 1_800_000_000))
    assert world_cache.kept_on(kept) == "15 January 2027, 08:00 UTC"


def test_one_that_is_forgotten_while_it_is_copied_is_not_lent(
    tree: Path, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tree)
    copytree = shutil.copytree

    def half(source: Path, to: Path) -> Path:
        copytree(source, to)
        raise FileNotFoundError(source)

    monkeypatch.setattr(shutil, "copytree", half)
    assert not restored(tree)
