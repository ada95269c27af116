"""A plan is a list of steps; one thin loop carries it out, and logs, times, skips and wraps errors around each."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that will happen. `action` names the function that does it."""

    action: str
    component: str
    says: str
    """For people: what will happen."""
    detail: Mapping[str, str] = field(default_factory=dict)
    done: str = ""
    """Why there is nothing to do, when the real state shows it is done already."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of a step."""

    step: Step
    seconds: float
    text: str


Act = Callable[[Step], str]
"""Carries a step out; returns one line about what happened."""


def carry_out(steps: Sequence[Step], acts: Mapping[str, Act], runtime: Runtime) -> list[Done]:
    """Carry out the steps in order. A failure names its step and what was done before it."""
    done: list[Done] = []
    for number, step in enumerate(steps, 1):
        head = f"{number}/{len(steps)} {step.component}: {step.says}"
        if step.done:
            runtime.say(f"✓ {head} — {step.done}")
            done.append(Done(step=step, seconds=0.0, text=step.done))
            continue
        runtime.say(f"▸ {head}")
        started = time.monotonic()
        try:
            text = acts[step.action](step)
        except ShipmateError as error:
            error.where = f"{step.component}, step {number}/{len(steps)} ({step.says})" + (
                f": {error.where}" if error.where else ""
            )
            raise
        seconds = time.monotonic() - started
        runtime.say(f"✓ {step.component}: {text} ({seconds:.1f} s)")
        done.append(Done(step=step, seconds=seconds, text=text))
    return done


def digest(steps: Sequence[Step]) -> str:
    """Twelve hex digits that name a plan: what an approval binds. Independent of what is done already."""
    canonical = json.dumps([[s.action, s.component, sorted(s.detail.items())] for s in steps])
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def as_markdown(done: Sequence[Done]) -> str:
    """A table for the summary."""
    rows = [f"| {d.step.component} | {_cell(d.step.says)} | {_cell(d.text)} | {d.seconds:.1f} s |" for d in done]
    return "\n".join(["| component | step | result | time |", "|---|---|---|--:|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
