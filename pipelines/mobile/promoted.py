"""How a promotion ends, whichever store it is in. It waits for nobody: what is left to others is said, and running it again goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipelines.manifest.mobile import Platform

To = Literal["beta", "production"]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A build that a store holds."""

    version: str
    number: int

    def __str__(self) -> str:
        return f"{self.version} ({self.number})"


@dataclass(frozen=True, kw_only=True)
class Promoted:
    """Where a build stands now."""

    platform: Platform
    to: To
    build: Candidate
    text: str
    changed: bool = False
    percent: float = 0.0
    """Of users who get it, once what it waits for has happened."""
    waits_for: str = ""
    """What somebody else must do; empty when nothing."""
    held: str = ""
    """Why no more users get it, although it was asked for; empty when it is not held."""
    halted: str = ""
    """Why it was taken from those who did not have it yet, by itself; empty when it was not."""


def percent_text(percent: float) -> str:
    """5 %, or 0.5 %."""
    return f"{percent:g} %"
