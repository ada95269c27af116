"""An account as JSON and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rehearsal.emulators.google_play.account import Account
from rehearsal.emulators.google_play.state import App, Bundle, Edit, Release, Tracks
from rehearsal.emulators.google_play.vitals import Day, Vitals


def to_json(account: Account) -> dict[str, Any]:
    """Apps and grants. Times stay as they are, so what is due in between is done when it is loaded and looked at."""
    return {
        "apps": [asdict(app) for app in account.apps.values()],
        "grants": {
            user: {package: sorted(permissions) for package, permissions in apps.items()}
            for user, apps in account.grants.items()
        },
    }


def from_json(account: Account, saved: dict[str, Any]) -> None:
    """Replace what the account holds."""
    account.apps = {item["package"]: _app(item) for item in saved["apps"]}
    account.grants = {
        user: {package: frozenset(permissions) for package, permissions in apps.items()}
        for user, apps in saved["grants"].items()
    }


def _app(item: dict[str, Any]) -> App:
    return App(
        **{
            **item,
            "used": _bundles(item["used"]),
            "tracks": _tracks(item["tracks"]),
            "live": _tracks(item["live"]),
            "edits": {number: _edit(edit) for number, edit in item["edits"].items()},
            "vitals": Vitals(days=[Day(*day) for day in item["vitals"]["days"]]),
        }
    )


def _edit(item: dict[str, Any]) -> Edit:
    return Edit(**{**item, "tracks": _tracks(item["tracks"]), "bundles": _bundles(item["bundles"])})


def _tracks(item: dict[str, Any]) -> Tracks:
    return {track: [Release(**release) for release in releases] for track, releases in item.items()}


def _bundles(item: dict[str, Any]) -> dict[int, Bundle]:
    # JSON has no numbers as names.
    return {int(code): Bundle(**bundle) for code, bundle in item.items()}
