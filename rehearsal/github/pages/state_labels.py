"""How states are shown: a word, a tone of colour, and a sign that says the same without colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Look:
    word: str
    tone: str
    """good, bad, wait, busy or calm"""
    sign: str
    """Name of a symbol in the layout."""


class Moving(Protocol):
    """A run, job, step or check run."""

    status: str
    conclusion: str | None


_LOOKS = {
    "success": Look(word="Success", tone="good", sign="check"),
    "failure": Look(word="Failure", tone="bad", sign="cross"),
    "error": Look(word="Error", tone="bad", sign="cross"),
    "timed_out": Look(word="Timed out", tone="bad", sign="cross"),
    "startup_failure": Look(word="Did not start", tone="bad", sign="cross"),
    "action_required": Look(word="Action required", tone="wait", sign="bell"),
    "cancelled": Look(word="Cancelled", tone="calm", sign="stop"),
    "skipped": Look(word="Skipped", tone="calm", sign="skip"),
    "neutral": Look(word="Neutral", tone="calm", sign="dot"),
    "stale": Look(word="Stale", tone="calm", sign="dot"),
    "inactive": Look(word="Inactive", tone="calm", sign="dot"),
    "in_progress": Look(word="In progress", tone="busy", sign="spin"),
    "waiting": Look(word="Waiting", tone="wait", sign="clock"),
    "pending": Look(word="Pending", tone="wait", sign="clock"),
    "queued": Look(word="Queued", tone="calm", sign="clock"),
    "requested": Look(word="Requested", tone="calm", sign="clock"),
    "expected": Look(word="Expected", tone="wait", sign="clock"),
    "planned": Look(word="Not started yet", tone="calm", sign="ring"),
    "started": Look(word="Started", tone="busy", sign="play"),
    "open": Look(word="Open", tone="good", sign="dot"),
    "closed": Look(word="Closed", tone="calm", sign="stop"),
    "merged": Look(word="Merged", tone="busy", sign="merge"),
    "draft": Look(word="Draft", tone="calm", sign="ring"),
    "approved": Look(word="Approved", tone="good", sign="check"),
    "rejected": Look(word="Rejected", tone="bad", sign="cross"),
    "changes_requested": Look(word="Changes requested", tone="bad", sign="cross"),
    "commented": Look(word="Commented", tone="calm", sign="dot"),
    "dismissed": Look(word="Dismissed", tone="calm", sign="stop"),
}


STATE_NAMES = {"passed": "success", "failed": "failure", "pending": "in_progress"}
"""What the checks of a commit come to -> the state it is shown as."""


def of(state: str | Moving | None) -> Look:
    """The look of a state by name, or of anything with a status and a conclusion."""
    name = state if isinstance(state, str) or state is None else state_of(state)
    return _LOOKS.get(name or "planned") or Look(word=str(name).replace("_", " "), tone="calm", sign="dot")


def state_of(one: Moving) -> str:
    return (one.conclusion or "neutral") if one.status == "completed" else one.status
