"""The shapes in which eas-cli prints updates (update/utils.js of npm eas-cli 24.8.0)."""

from __future__ import annotations

import datetime
from typing import Any

_UNITS = (
    (60, "second"), (60, "minute"), (24, "hour"), (7, "day"), (365 / 7 / 12, "week"), (12, "month"), (float("inf"), "year"),
)  # fmt: skip
_JUST_NOW = 9
_LONGEST = 512


def flat(update: dict[str, Any]) -> dict[str, Any]:
    """An update as most commands print it."""
    same = (
        "id",
        "createdAt",
        "group",
        "message",
        "platform",
        "manifestPermalink",
        "isRollBackToEmbedded",
        "gitCommitHash",
    )
    found = {name: update[name] for name in same}
    return {**found, "branch": update["branch"]["name"], "runtimeVersion": update["runtime"]["version"]}


def described(group: list[dict[str, Any]]) -> dict[str, Any]:
    """A group as `update:list` prints it: its message is for people."""
    first = group[0]
    return {
        "branch": first["branch"]["name"],
        "message": _message(first),
        "runtimeVersion": first["runtime"]["version"],
        "isRollBackToEmbedded": first["isRollBackToEmbedded"],
        "rolloutPercentage": first["rolloutPercentage"],
        "codeSigningKey": None,
        "group": first["group"],
        "platforms": ", ".join(sorted(one["platform"] for one in group)),
    }


def _message(update: dict[str, Any]) -> str:
    text = update["message"] or ""
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    made = datetime.datetime.fromisoformat(update["createdAt"])
    age = max(0.0, (datetime.datetime.now(datetime.UTC) - made).total_seconds())
    message = f'"{text}" ' if text else ""
    return f"{message}({_ago(age)} by {update['actor']['firstName']} (robot))"


def _ago(seconds: float) -> str:
    """As npm timeago.js says it."""
    if seconds <= _JUST_NOW:
        return "just now"
    count = seconds
    for size, unit in _UNITS:
        if count < size:
            return f"{int(count)} {unit}{'' if int(count) == 1 else 's'} ago"
        count /= size
    raise AssertionError("years have no end")
