"""One deployment of an environment at a time, across runs: the ledger says who is at work, GitHub whether they still live."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.errors import ConflictError

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.ledger import Ledger, Record


def require_free(github: GitHub, ledger: Ledger, own: Record) -> None:
    """Refuse while another run is deploying here. A run that ended, however it ended, holds nothing.

    Raises ConflictError naming the run.
    """
    for record in ledger.records(own.environment):
        if record.id == own.id or record.state != "in_progress" or record.run_id == own.run_id:
            continue
        if _alive(github, record):
            raise ConflictError(
                f"{record.release} is being deployed to {record.environment} by another run",
                where=record.run,
                why=f"started {record.at} by {record.by}",
                next_step="wait for it, or cancel it; then re-run this job",
            )


def newer_than(ledger: Ledger, own: Record) -> Record | None:
    """A record opened after ours that is deploying or has deployed: ours is out of date."""
    for record in ledger.records(own.environment):
        if record.id > own.id and record.task == own.task and record.state in ("in_progress", "success"):
            return record
    return None


def _alive(github: GitHub, record: Record) -> bool:
    number = re.search(r"/actions/runs/(\d+)$", record.run)
    if number is None:
        return False
    run = github.find_json(f"/repos/{github.name}/actions/runs/{number.group(1)}")
    return run is not None and run["status"] != "completed"
