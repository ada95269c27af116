"""How a promotion ends, whichever store it is in. It waits for nobody: what is left to others is reported, and running it again goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipelines.errors import CheckFailed, RefusedError, ShipmateError

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
    """What someone else must do; empty when nothing."""
    held: str = ""
    """Why no more users get it, although it was asked for; empty when it is not held."""
    halted: str = ""
    """Why it was taken from those who did not have it yet, by itself; empty when it was not."""


def percent_text(percent: float) -> str:
    """5 %, or 0.5 %."""
    return f"{percent:g} %"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How it ended on one platform: what became of the build, or why nothing did. Both are None where there is nothing to do."""

    platform: Platform
    promoted: Promoted | None = None
    problem: ShipmateError | None = None


def problem_of(outcomes: Sequence[Outcome]) -> ShipmateError | None:
    """How a command or a job ends: what was halted by itself comes first, then what failed, then what is held. None when all is well."""
    halted = [each.promoted for each in outcomes if each.promoted is not None and each.promoted.halted]
    if halted:
        return CheckFailed(
            "; ".join(f"{each.build} does badly on {each.platform} and was halted: {each.halted}" for each in halted),
            where="production",
            next_step="release a higher version with what fixes it; `shipmate mobile resume` goes on with this one",
        )
    failed = next((each.problem for each in outcomes if each.problem is not None), None)
    if failed is not None:
        return failed
    held = [each.promoted for each in outcomes if each.promoted is not None and each.promoted.held]
    if held:
        return RefusedError(
            "; ".join(f"{each.build} is held on {each.platform}: {each.held}" for each in held),
            where=held[0].to,
            why="no more people get it until it is known to do well",
            next_step="run this again later; `mobile/watch` in shipmate.yml says what is needed",
        )
    return None


def as_data(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """For machines."""
    return [
        {
            "platform": each.platform,
            "problem": each.problem.what if each.problem is not None else "",
            **({} if each.promoted is None else _data(each.promoted)),
        }
        for each in outcomes
    ]


def lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """For people: what happened, and what it waits for."""
    for each in outcomes:
        if each.problem is not None:
            yield f"{each.platform}: {each.problem.what}"
        elif each.promoted is None:
            yield f"{each.platform}: nothing is being rolled out"
        else:
            yield f"{each.platform}: {each.promoted.text}"
            message = (
                ("waits for", each.promoted.waits_for),
                ("held", each.promoted.held),
                ("halted", each.promoted.halted),
            )
            yield from (f"  {word}: {text}" for word, text in message if text)


def _data(promoted: Promoted) -> dict[str, Any]:
    found = dataclasses.asdict(promoted)
    build = found.pop("build")
    return {**found, **build}
