"""One deployment of an environment at a time, across runs: the ledger says who is at work, GitHub whether they still live."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.errors import ConflictError, RefusedError

if TYPE_CHECKING:
    from pipelines.delivery.ledger import Record
    from pipelines.github import GitHub

RECENT = 10
"""Records that are looked at: whoever holds the lock is among the newest."""


def require_free(github: GitHub, history: Sequence[Record], own: Record) -> None:
    """Refuse while another run is deploying here, or is still taking back what failed. A run that ended, however it ended, holds nothing.

    Once `own` is in progress itself, only who began earlier is in its way: of two that begin together, one goes on.
    Raises ConflictError naming the run.
    """
    for record in history:
        if record.id == own.id or record.state not in ("in_progress", "failure") or record.run_id == own.run_id:
            continue
        if _began(own) and _began(own) < _began(record):
            continue
        if _alive(github, record):
            raise ConflictError(
                f"{record.release} is being deployed to {record.environment} by another run",
                where=record.run,
                why=f"started {record.at} by {record.by}",
                next_step="wait for it, or cancel it; then re-run this job",
            )


def require_newest(history: Sequence[Record], own: Record) -> None:
    """Refuse when a release went out that was planned after ours. Raises RefusedError."""
    for record in history:
        if record.id > own.id and record.task == own.task and record.state in ("in_progress", "success"):
            raise RefusedError(
                f"{record.release} went to {record.environment} after this run began",
                where=record.run,
                why="going on would take users back",
                next_step="nothing to do; to release this one after all, start the workflow again",
            )


def _began(record: Record) -> int:
    """When the work under way began, as the number of its event; 0 when there is none under way."""
    return record.events[0].id if record.state == "in_progress" else 0


def _alive(github: GitHub, record: Record) -> bool:
    number = re.search(r"/actions/runs/(\d+)$", record.run)
    if number is None:
        return False
    run = github.find_json(f"/repos/{github.name}/actions/runs/{number.group(1)}")
    return run is not None and run["status"] != "completed"
