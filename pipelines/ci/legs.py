"""The jobs of the checks: what the matrix of ci.yml is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.ci.matrix import Planned
    from pipelines.manifest.components import Check
    from pipelines.manifest.model import Manifest

PYTHON = "3.11"
"""Of checks that list none: what the action `setup` takes by itself."""


def matrix(manifest: Manifest, planned: tuple[Planned, ...]) -> list[dict[str, Any]]:
    """An entry of `strategy.matrix.include` for each job that is to run, in the order of the manifest."""
    return [leg for one in planned if one.runs for leg in _legs(one.check, manifest.ci.checks[one.check])]


def _legs(name: str, check: Check) -> Iterator[dict[str, Any]]:
    for (job, title), python in zip(check.titles(name).items(), check.pythons or (PYTHON,), strict=True):
        yield {
            "name": job,
            "check": name,
            "title": title,
            "timeout_minutes": check.timeout_minutes,
            "python": python,
            "requirements": "dev" if check.python else "runtime",
            "node": " ".join(check.node),
        }
