from __future__ import annotations

import base64
import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from pipelines.errors import LocalError
from pipelines.toolchain import home as homes
from pipelines.toolchain import python, uv

ROOT = Path(__file__).resolve().parents[3]
LOCKS = [
    ROOT / name
    for name in (
        "requirements/dev.txt",
        "requirements/runtime.txt",
        "pipelines/toolchain/uv.txt",
        "apps/backend/requirements.txt",
    )
]

PROJECT = """\
[project]
name = "shipmate"
version = "{version}"

[project.scripts]
shipmate = "pipelines.cli:main"

[build-system]
requires = ["uv_build>=0.13,<0.14"]
build-backend = "uv_build"

[tool.uv.build-backend]
module-name = ["pipelines"]
module-root = ""
"""


def wheel(folder: Path, name: str, version: str) -> str:
    """A real wheel that holds one module, and the locked line that asks for it."""
    file = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
            sum256 = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={sum256},{len(text)}\n"
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return f"{name} @ {file.as_uri()} --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


class Checkout:
    """A small project of the suite's shape, and its environment. Its folder has a blank in its name."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "a checkout"
        self.home = tmp_path / "home"
        self.venv = self.root / ".venv"
        (self.root / "requirements").mkdir(parents=True)
        (self.root / "pipelines").mkdir()
        (self.root / "pipelines" / "__init__.py").touch()
        (self.root / "pipelines" / "cli.py").write_text(
            "def main():\n    from sum_of import VERSION\n    print('sum_of', VERSION)\n"
        )
        self.project("1.2.3")
        self.lock("1.0")
        self.messages: list[str] = []

    def project(self, version: str) -> None:
        (self.root / "pyproject.toml").write_text(PROJECT.format(version=version))

    def lock(self, version: str) -> None:
        for name in (python.DEV, python.RUNTIME):
            (self.root / name).write_text(wheel(self.root, "sum_of", version))

    def build(self) -> None:
        binary = uv.ensure(homes.folder(), lambda _: None)
        python.build(self.venv, [python.DEV], uv=binary, root=self.root, home=self.home, say=self.messages.append)

    def fits(self) -> bool:
        return python.holds(self.venv, python.wanted(self.root, [python.DEV]))

    def shipmate(self) -> str:
        return subprocess.run(
            [self.venv / "bin" / "shipmate"], check=True, capture_output=True, text=True, cwd="/"
        ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_it_holds_what_is_locked_and_the_suite_itself(checkout: Checkout) -> None:
    assert not checkout.fits()
    checkout.build()
    assert checkout.fits()
    assert checkout.shipmate() == "sum_of 1.0"
    asked = "import importlib.metadata as m; print(m.version('shipmate'), m.entry_points(name='shipmate')['shipmate'].value)"
    result = subprocess.run([checkout.venv / "bin" / "python", "-c", asked], check=True, capture_output=True, text=True)
    assert result.stdout.split() == ["1.2.3", "pipelines.cli:main"]


def test_an_environment_for_development_serves_the_one_who_needs_the_runtime(checkout: Checkout) -> None:
    checkout.build()
    assert python.holds(checkout.venv, python.requirement_lines(checkout.root, [python.RUNTIME]))


def test_other_locks_are_installed_over_it(checkout: Checkout) -> None:
    checkout.build()
    (checkout.venv / "kept").touch()
    checkout.lock("2.0")
    assert not checkout.fits()
    checkout.build()
    assert checkout.shipmate() == "sum_of 2.0"
    assert (checkout.venv / "kept").exists()


def test_another_version_of_the_suite_replaces_the_one_before(checkout: Checkout) -> None:
    checkout.build()
    checkout.project("1.3.0")
    assert not checkout.fits()
    checkout.build()
    assert [path.name for path in checkout.venv.glob("lib/*/site-packages/shipmate-*")] == ["shipmate-1.3.0.dist-info"]


def test_one_whose_making_was_interrupted_is_made_anew(checkout: Checkout) -> None:
    checkout.build()
    (checkout.venv / python.STAMP).unlink()
    (checkout.venv / "half").touch()
    checkout.build()
    assert checkout.fits()
    assert not (checkout.venv / "half").exists()


def test_a_failed_install_leaves_no_stamp(checkout: Checkout) -> None:
    checkout.build()
    checkout.lock("2.0")
    (checkout.root / "sum_of-2.0-py3-none-any.whl").write_bytes(b"something else")
    with pytest.raises(LocalError, match=r"install dev\.txt"):
        checkout.build()
    assert not checkout.fits()


def test_a_moved_checkout_is_made_anew(checkout: Checkout, tmp_path: Path) -> None:
    checkout.build()
    moved = checkout.root.rename(tmp_path / "elsewhere")
    assert not python.holds(moved / ".venv", python.wanted(moved, [python.DEV]))


def test_an_environment_without_its_interpreter_holds_nothing(checkout: Checkout) -> None:
    checkout.build()
    (checkout.venv / "bin" / "python").unlink()
    assert python.stamp(checkout.venv) == set()


def pinned(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if line and line[0] not in " #"]
    return {line.split("==")[0]: line.split("==")[1].split(" ")[0] for line in lines}


def test_what_runs_in_production_is_a_part_of_what_is_tested() -> None:
    tested = pinned(LOCKS[0])
    for file in (LOCKS[1], LOCKS[3]):
        differ = {
            name: (version, tested.get(name.split("[")[0]))
            for name, version in pinned(file).items()
            if tested.get(name) != version
        }
        assert not differ, file


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.name)
def test_everything_locked_has_hashes_and_no_address(file: Path) -> None:
    text = file.read_text()
    assert "://" not in text
    assert "--index-url" not in text
    for block in text.split("\n    # via")[0:-1]:
        assert "--hash=sha256:" in block
