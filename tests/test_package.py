"""`pip install .` gives a package that works: everything in it, and a clear word about what an extra brings."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.toolchain import home, uv

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    binary = str(uv.ensure(home.folder(), lambda _: None))
    subprocess.run(
        [binary, "build", "--quiet", "--offline", "--wheel", "--out-dir", str(folder), str(ROOT)], check=True
    )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as opened:
        yield opened


def run(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """A command of the installed package, far from the checkout; dependencies come from this environment."""
    env = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [sys.executable, "-P", *argv], env=env, cwd=folder / "work", capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    wheel.extractall(folder)
    (folder / "work").mkdir()
    return folder


def test_it_holds_every_file_of_its_packages(wheel: zipfile.ZipFile) -> None:
    packages = PROJECT["tool"]["uv"]["build-backend"]["module-name"]
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--", *packages], check=True, capture_output=True, text=True
    )
    present = {name for name in tracked.stdout.split("\0") if name and (ROOT / name).is_file()}
    assert len(present) > 500
    assert present - set(wheel.namelist()) == set()


def test_it_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    packages = (
        *PROJECT["tool"]["uv"]["build-backend"]["module-name"],
        f"shipmate-{PROJECT['project']['version']}.dist-info",
    )
    assert {name.split("/")[0] for name in wheel.namelist()} == set(packages)
    assert not [name for name in wheel.namelist() if "node_modules" in name or "__pycache__" in name]


def test_its_licence_is_in_it(wheel: zipfile.ZipFile) -> None:
    info = f"shipmate-{PROJECT['project']['version']}.dist-info"
    assert "License-Expression: Apache-2.0" in wheel.read(f"{info}/METADATA").decode()
    assert wheel.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_its_command_works_away_from_the_checkout(installed: Path) -> None:
    work = installed / "work"
    for argv in (
        ["init", "-q"],
        [
            "-c",
            "user.name=dev-1",
            "-c",
            "user.email=dev-1@example.com",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "feat: a",
        ],
    ):
        subprocess.run(["git", *argv], cwd=work, check=True)
    ended = run(installed, "-m", "pipelines.cli", "release", "next")
    assert (ended.returncode, ended.stdout) == (0, "0.1.0\n"), ended.stderr
    where = run(installed, "-c", "import pipelines; print(pipelines.__file__)").stdout
    assert Path(where.strip()).is_relative_to(installed)


def test_a_command_whose_extra_is_not_installed_names_the_extra(installed: Path) -> None:
    """As where `pip install .` was given no extra: the module is not there."""
    program = "import sys; sys.modules['httpx'] = None; from pipelines.cli import main; main(['up'])"
    ended = run(installed, "-c", program)
    assert ended.returncode == 11
    assert "the Python package 'httpx' is not installed" in ended.stderr
    assert "pip install 'shipmate[rehearsal,loadtests]'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_missing_module_of_our_own_is_a_bug_and_shows_its_trace(installed: Path) -> None:
    program = (
        "import sys; sys.modules['pipelines.commands.status'] = None; from pipelines.cli import main; main(['status'])"
    )
    ended = run(installed, "-c", program)
    assert "ModuleNotFoundError" in ended.stderr
