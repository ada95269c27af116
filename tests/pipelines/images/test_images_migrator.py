"""What an image brings to migrate: it runs by itself, with the Python of the image's base."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipelines.errors import ManifestError
from pipelines.images import migrator
from pipelines.images.sources import Commit
from pipelines.images.store import Store
from tests.pipelines.images.repository import make

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("python", ["3.10", "3.9.18", "2.7"])
def test_a_base_that_is_too_old_is_refused_when_the_image_is_built(tmp_path: Path, python: str) -> None:
    commit = Commit.find(tmp_path, make(tmp_path))
    with pytest.raises(ManifestError, match=f"has Python {python}, .* needs 3.11") as refused:
        migrator.layers(commit, "migrations", python, Store(tmp_path / "store"))
    assert "migrate_by: workflow" in refused.value.next_step


def test_the_oldest_python_is_that_of_the_suite() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert declared == f">={'.'.join(map(str, migrator.OLDEST_PYTHON))}"


def test_its_modules_import_nothing_that_is_not_brought(tmp_path: Path) -> None:
    """Beside the driver, which an image has in a folder of its own."""
    for file in migrator._modules():
        target = tmp_path / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read())
    names = [module.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for module in migrator.MODULES]
    code = (
        f"import sys, importlib; sys.path.insert(0, sys.argv[1]); [importlib.import_module(name) for name in {names}]; "
        "print(sorted({m.partition('.')[0] for m in sys.modules} - sys.stdlib_module_names - {'__main__'}))"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(tmp_path / migrator.ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "['pipelines']"), done.stderr
