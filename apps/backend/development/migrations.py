"""Fills a new, empty database, by the runner that migrates every other."""

from __future__ import annotations

from pathlib import Path

from pipelines.delivery.migrations import runner

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def apply_all(database_url: str) -> None:
    """Run every migration: no earlier release needs what a contract migration takes away."""
    for phase in ("expand", "contract"):
        runner.run(database_url, MIGRATIONS, phase=phase, release="development", serving=["9999"])
