"""An account as JSON and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rehearsal.emulators import saving
from rehearsal.emulators.vercel.model import Alias, Deployment, Project
from rehearsal.emulators.vercel.state import Account


@dataclass(kw_only=True)
class Saved:
    """Everything but the clock and the pace, as in `Account`."""

    team_id: str
    last_time: int
    blobs: dict[str, bytes]
    projects: dict[str, Project]
    deployments: dict[str, Deployment]
    aliases: dict[str, Alias]
    plan: str = "pro"


def to_json(account: Account) -> dict[str, Any]:
    return saving.to_json(
        Saved(
            team_id=account.team_id,
            last_time=account.last_time,
            blobs=account.blobs,
            projects=account.projects,
            deployments=account.deployments,
            aliases=account.aliases,
            plan=account.plan,
        )
    )


def from_json(account: Account, raw: dict[str, Any]) -> None:
    """Replace what the account holds. Times stay as they were, so what was due in between is done at once."""
    saved = saving.from_json(Saved, raw)
    account.team_id, account.last_time, account.plan = saved.team_id, saved.last_time, saved.plan
    account.blobs.clear()
    account.blobs.update(saved.blobs)
    account.projects, account.deployments, account.aliases = saved.projects, saved.deployments, saved.aliases
