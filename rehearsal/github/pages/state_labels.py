"""How states are shown: a word, a tone of colour, and a sign that says the same without colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class StateLabel:
    word: str
    tone: str
    """good, bad, wait, busy or calm"""
    sign: str
    """Name of a symbol in the layout."""


class HasState(Protocol):
    """A run, job, step or check run."""

    status: str
    conclusion: str | None


_LABELS = {
    "success": StateLabel(word="Success", tone="good", sign="check"),
    "failure": StateLabel(word="Failure", tone="bad", sign="cross"),
    "error": StateLabel(word="Error", tone="bad", sign="cross"),
    "timed_out": StateLabel(word="Timed out", tone="bad", sign="cross"),
    "startup_failure": StateLabel(word="Did not start", tone="bad", sign="cross"),
    "action_required": StateLabel(word="Action required", tone="wait", sign="bell"),
    "cancelled": StateLabel(word="Cancelled", tone="calm", sign="stop"),
    "skipped": StateLabel(word="Skipped", tone="calm", sign="skip"),
    "neutral": StateLabel(word="Neutral", tone="calm", sign="dot"),
    "stale": StateLabel(word="Stale", tone="calm", sign="dot"),
    "inactive": StateLabel(word="Inactive", tone="calm", sign="dot"),
    "in_progress": StateLabel(word="In progress", tone="busy", sign="spin"),
    "waiting": StateLabel(word="Waiting", tone="wait", sign="clock"),
    "pending": StateLabel(word="Pending", tone="wait", sign="clock"),
    "queued": StateLabel(word="Queued", tone="calm", sign="clock"),
    "requested": StateLabel(word="Requested", tone="calm", sign="clock"),
    "expected": StateLabel(word="Expected", tone="wait", sign="clock"),
    "planned": StateLabel(word="Not started yet", tone="calm", sign="ring"),
    "started": StateLabel(word="Started", tone="busy", sign="play"),
    "open": StateLabel(word="Open", tone="good", sign="dot"),
    "closed": StateLabel(word="Closed", tone="calm", sign="stop"),
    "merged": StateLabel(word="Merged", tone="busy", sign="merge"),
    "draft": StateLabel(word="Draft", tone="calm", sign="ring"),
    "approved": StateLabel(word="Approved", tone="good", sign="check"),
    "rejected": StateLabel(word="Rejected", tone="bad", sign="cross"),
    "changes_requested": StateLabel(word="Changes requested", tone="bad", sign="cross"),
    "commented": StateLabel(word="Commented", tone="calm", sign="dot"),
    "dismissed": StateLabel(word="Dismissed", tone="calm", sign="stop"),
}


STATE_NAMES = {"passed": "success", "failed": "failure", "pending": "in_progress"}
"""What the checks of a commit come to -> the state it is shown as."""


def of(state: str | HasState | None) -> StateLabel:
    """The label of a state by name, or of anything with a status and a conclusion."""
    name = state if isinstance(state, str) or state is None else state_of(state)
    return _LABELS.get(name or "planned") or StateLabel(word=str(name).replace("_", " "), tone="calm", sign="dot")


def state_of(one: HasState) -> str:
    return (one.conclusion or "neutral") if one.status == "completed" else one.status
