from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import LocalError
from pipelines.toolchain import home as homes

ROOT = Path(__file__).resolve().parents[3]


def test_the_home_is_the_named_folder_or_the_users_cache(tmp_path: Path) -> None:
    assert homes.folder({"SHIPMATE_HOME": str(tmp_path)}) == tmp_path
    assert homes.folder({}) == Path.home() / ".cache" / "shipmate"


def test_a_home_that_cannot_be_made_says_how_to_name_another(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(LocalError, match="SHIPMATE_HOME="):
        homes.made(tmp_path / "file" / "home")


def test_a_folder_takes_its_place_as_a_whole(tmp_path: Path) -> None:
    with homes.replacing(tmp_path / "tree") as fresh:
        (fresh / "x").write_text("1")
        assert not (tmp_path / "tree").exists()
    assert (tmp_path / "tree" / "x").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]


def test_one_that_failed_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), homes.replacing(tmp_path / "tree") as fresh:
        (fresh / "x").write_text("1")
        raise ValueError("no")
    assert not list(tmp_path.iterdir())


def test_the_second_leaves_the_firsts_folder_alone(tmp_path: Path) -> None:
    with homes.replacing(tmp_path / "tree") as second:
        with homes.replacing(tmp_path / "tree") as first:
            (first / "who").write_text("first")
        (second / "who").write_text("second")
    assert (tmp_path / "tree" / "who").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]


def test_a_second_set_up_waits_and_says_so(tmp_path: Path) -> None:
    waiting = f"""
import sys
from pathlib import Path
from pipelines.toolchain import home as homes
with homes.locked(Path({str(tmp_path)!r}), lambda text: print(text, flush=True)):
    print("mine", flush=True)
"""
    with homes.locked(tmp_path, lambda _: None):
        other = subprocess.Popen([sys.executable, "-c", waiting], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert other.stdout is not None
        assert "another set-up is running" in other.stdout.readline()
        assert other.poll() is None
    rest, _ = other.communicate(timeout=10)
    assert (rest.strip(), other.returncode) == ("mine", 0)


def test_a_digest_tells_files_and_words_apart(tmp_path: Path) -> None:
    for name, text in (("a", "xy"), ("b", ""), ("c", "x"), ("d", "y")):
        (tmp_path / name).write_text(text)
    found = [homes.digest([tmp_path / one, tmp_path / two]) for one, two in ("ab", "ba", "cd")]
    found += [homes.digest([tmp_path / "a"], "b"), homes.digest([tmp_path / "missing"])]
    assert len(set(found)) == len(found)
