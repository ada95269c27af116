"""That a layer's modules are compiled once on a machine, and that no old bytecode is run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.emulators.cloud_run import bytecode


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def layer(folder: Path, modules: int = 120) -> Path:
    (folder / "deps").mkdir(parents=True)
    for number in range(modules):
        (folder / f"deps/module{number}.py").write_text(f"NUMBER = {number}\n")
    (folder / "deps/template.py").write_text("this is {no} Python\n")
    return folder


def imported(folder: Path, module: str) -> str:
    """What the module holds, and where its bytecode lies if it was taken."""
    code = f"import {module} as m; print(m.NUMBER, m.__cached__)"
    command = [sys.executable, "-S", "-v", "-c", code]
    environ = {"PYTHONPATH": str(folder / "deps"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    matched = any("matches" in line and f"{module}.py" in line for line in done.stderr.splitlines())
    return f"{done.stdout.split()[0]} {'from bytecode' if matched else 'compiled'}"


def test_instances_find_the_bytecode_of_a_large_layer(tmp_path: Path, home: Path) -> None:
    first, second = layer(tmp_path / "first"), layer(tmp_path / "second")
    bytecode.provide(first, "abc")
    assert imported(first, "module7") == "7 from bytecode"
    [kept] = (home / "bytecode").iterdir()
    (kept / "deps/__pycache__/mark").touch()
    bytecode.provide(second, "abc")
    assert imported(second, "module7") == "7 from bytecode"
    assert (second / "deps/__pycache__/mark").exists(), "it was compiled again"


def test_a_module_that_another_layer_replaced_is_compiled_again(tmp_path: Path) -> None:
    folder = layer(tmp_path / "layer")
    bytecode.provide(folder, "abc")
    replaced = folder / "deps/module7.py"
    before = replaced.stat()
    replaced.write_text("NUMBER = 8\n")
    # As long, and of the same second: an assembler gives every file the same time.
    os.utime(replaced, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert imported(folder, "module7") == "8 compiled"


def test_a_small_layer_is_left_as_it_is(tmp_path: Path, home: Path) -> None:
    folder = layer(tmp_path / "layer", modules=20)
    bytecode.provide(folder, "abc")
    assert not list(folder.rglob("__pycache__"))
    assert not home.exists()


def test_a_home_that_cannot_be_written_stops_no_instance(tmp_path: Path, home: Path) -> None:
    home.write_text("a file where the folder should be")
    folder = layer(tmp_path / "layer")
    bytecode.provide(folder, "abc")
    assert imported(folder, "module7") == "7 from bytecode"
