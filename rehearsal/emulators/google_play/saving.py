"""An account as JSON and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rehearsal.emulators import saving
from rehearsal.emulators.google_play.account import Account
from rehearsal.emulators.google_play.state import App


@dataclass(kw_only=True)
class Saved:
    """As in `Account`. Times stay as they are, so what is due in between is done when it is loaded and looked at."""

    apps: dict[str, App]
    grants: dict[str, dict[str, frozenset[str]]]


def to_json(account: Account) -> dict[str, Any]:
    """Apps and grants."""
    return saving.to_json(Saved(apps=account.apps, grants=account.grants))


def from_json(account: Account, raw: dict[str, Any]) -> None:
    """Replace what the account holds."""
    saved = saving.from_json(Saved, raw)
    account.apps, account.grants = saved.apps, saved.grants
