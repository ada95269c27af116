"""The one loop that carries steps out: it skips, times, logs, and wraps errors around each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.delivery.steps.base import Step


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of a step."""

    step: Step
    seconds: float
    text: str
    skipped: bool = False


def carry_out(steps: Sequence[Step], context: Context) -> list[Done]:
    """Carry out the steps in order. A failure names its step and what was done before it."""
    done: list[Done] = []
    for number, step in enumerate(steps, 1):
        head = f"{number}/{len(steps)} {step.component}: {step.says}"
        started = time.monotonic()
        try:
            reason = already(step, context)
            if not reason:
                context.runtime.say(f"▸ {head}")
                text = step.run(context)
        except ShipmateError as error:
            error.where = f"{step.component}, step {number}/{len(steps)} ({step.says})" + (
                f": {error.where}" if error.where else ""
            )
            raise
        seconds = time.monotonic() - started
        if reason:
            context.runtime.say(f"✓ {head} — {reason}")
            done.append(Done(step=step, seconds=seconds, text=reason, skipped=True))
        else:
            context.runtime.say(f"✓ {step.component}: {text} ({seconds:.1f} s)")
            done.append(Done(step=step, seconds=seconds, text=text))
    return done


def already(step: Step, context: Context) -> str:
    """Why a step has nothing to do, by the real state; empty when it has."""
    return step.done(context.host(step.component).live()) if step.observes else ""


def as_markdown(done: Sequence[Done]) -> str:
    """A table for the summary."""
    rows = [f"| {d.step.component} | {_cell(d.step.says)} | {_cell(d.text)} | {d.seconds:.1f} s |" for d in done]
    return "\n".join(["| component | step | result | time |", "|---|---|---|--:|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
