"""That jobs find bytecode of the modules they check out, and run no other commit's."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from rehearsal.runner import checkout_bytecode
from tests.rehearsal.runner.small_hub import CHECKOUT, logs

IMPORT = "python3 -v -c 'import pipelines.one; print(pipelines.one.NUMBER)' 2>&1"
WORKFLOW = f"""
on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - {{uses: {CHECKOUT}}}
      - run: {IMPORT} | grep -oE 'matches .*/pipelines/.*|^[0-9]+$'
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def checkout(folder: Path) -> Path:
    (folder / "pipelines/deeper").mkdir(parents=True)
    for name in ("__init__", "one", "two", "deeper/three"):
        (folder / f"pipelines/{name}.py").write_text("NUMBER = 1\n")
    return folder


def compiled(kept: Path) -> dict[str, int]:
    return {path.name.partition(".")[0]: path.stat().st_mtime_ns for path in kept.rglob("*.pyc")}


def test_only_what_changed_is_compiled(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "repository")
    before = compiled(checkout_bytecode.refresh(folder))
    assert set(before) == {"__init__", "one", "two", "three"}
    (folder / "pipelines/one.py").write_text("NUMBER = 2\n")
    after = compiled(checkout_bytecode.refresh(folder))
    assert {name for name in after if after[name] != before[name]} == {"one"}


def test_a_module_that_is_none_and_a_home_that_is_no_folder_stop_nothing(tmp_path: Path, home: Path) -> None:
    folder = checkout(tmp_path / "repository")
    (folder / "pipelines/two.py").write_text("this is {no} Python\n")
    (folder / "pipelines/one.py").write_bytes(b"NUMBER = '\0'\n")
    assert set(compiled(checkout_bytecode.refresh(folder))) == {"__init__", "three"}
    shutil.rmtree(home)
    home.write_text("a file where the folder should be")
    assert not checkout_bytecode.refresh(folder).exists()


def test_a_job_finds_the_bytecode_of_its_own_commit_alone(tmp_path: Path, world: Any, run_async: Any) -> None:
    kept = checkout_bytecode.refresh(checkout(tmp_path / "repository"))
    files = {"pipelines/__init__.py": "NUMBER = 1\n", "pipelines/one.py": "NUMBER = 1\n"}

    async def story() -> None:
        async with world(extra_env={"REHEARSAL_BYTECODE": str(kept)}) as w:
            same = logs(await w.push(WORKFLOW, files))
            assert [same.count(f"{name}.py") for name in ("__init__", "one")] == [1, 1], same
            # As long as the module that was compiled.
            other = logs(await w.push(WORKFLOW, {**files, "pipelines/one.py": "NUMBER = 2\n"}))
            assert [other.count(f"{name}.py") for name in ("__init__", "one")] == [1, 0], other
            assert [same.split()[-1], other.split()[-1]] == ["1", "2"]

    run_async(story())
