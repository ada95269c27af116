"""What an image brings so that a job of it can migrate: the migrations, what applies them, and the driver that this needs.

It stands beside the application, which neither sees it nor needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import ManifestError
from pipelines.images import dependencies
from pipelines.images.layer import File, tar
from pipelines.images.model import LAYER, Blob
from pipelines.images.sources import Commit
from pipelines.images.store import Store

ROOT = "shipmate"
DEPENDENCIES = f"{ROOT}/deps"
MIGRATIONS = f"{ROOT}/migrations"
REQUIREMENTS = Path(__file__).with_name("migrator.txt")
PACKAGES = ("pipelines", "pipelines/delivery")
MODULES = (
    "pipelines/clock.py",
    "pipelines/errors.py",
    "pipelines/faults.py",
    "pipelines/polling.py",
    *(
        f"pipelines/delivery/migrations/{name}.py"
        for name in (
            "__init__",
            "address",
            "applying",
            "changes",
            "conditions",
            "counts",
            "definitions",
            "files",
            "indexes",
            "job",
            "order",
            "parsing",
            "rules",
            "runner",
            "sql",
            "trial",
            "watcher",
            "words",
        )
    ),
)
"""All that `pipelines.delivery.migrations.job` imports; beside it only the standard library and psycopg."""
OLDEST_PYTHON = (3, 11)
"""The suite's own (pyproject.toml)."""
_SUITE = Path(__file__).parents[2]


def layers(
    commit: Commit, migrations: str, python: str, store: Store, *, platform: str = dependencies.PLATFORM
) -> list[tuple[Blob, str]]:
    """The two layers, each with its line of history. `migrations`: their folder in the commit.

    Raises as `dependencies.layer` does, and ManifestError for a base whose Python cannot run what applies the migrations.
    """
    _require_python(python)
    driver = dependencies.layer(REQUIREMENTS.read_bytes(), python, DEPENDENCIES, store, platform=platform)
    files = [*_modules(), *commit.files(migrations, MIGRATIONS)]
    return [
        (driver, "uv pip install psycopg, for migrations"),
        (Blob.of(b"".join(tar(files)), LAYER), f"copy {migrations} to /{MIGRATIONS}"),
    ]


def _require_python(python: str) -> None:
    """Raises ManifestError. `python`: that of the base, like 3.11."""
    if tuple(map(int, python.split(".")[:2])) >= OLDEST_PYTHON:
        return
    oldest = ".".join(map(str, OLDEST_PYTHON))
    raise ManifestError(
        f"the base has Python {python}, and what applies the migrations needs {oldest} or newer",
        where="image/migrator",
        why="the job that migrates runs with the Python of the image's base; it would end before it had asked the database anything",
        next_step=f"name a base with Python {oldest} or newer, or migrate in the workflow (`migrate_by: workflow`)",
    )


def _modules() -> Iterator[File]:
    for package in PACKAGES:
        yield File(path=f"{ROOT}/{package}/__init__.py")
    for module in MODULES:
        yield File(path=f"{ROOT}/{module}", content=_SUITE / module)
