"""How a delivery to a store ends, whichever store it is."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.errors import RefusedError


class NumberUsed(RefusedError):
    """The store has something else of this build number: the next number must be built."""

    def __init__(self, number: int, where: str, why: str) -> None:
        super().__init__(
            f"the build number {number} is used up",
            where=where,
            why=why,
            next_step="run the release again: it builds with the next number",
        )
        self.number = number


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """How it ended."""

    text: str
    changed: bool = True
    waits_for: str = ""
    """What someone else must do until testers get it; empty when nothing."""
