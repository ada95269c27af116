"""Steps, the jobs of workflows that they belong to, and the one loop that carries them out: it skips, times, logs, and wraps errors."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.runtime import Runtime


class Logged(Protocol):
    """What the loop needs of a context."""

    @property
    def runtime(self) -> Runtime: ...


Context_contra = TypeVar("Context_contra", bound=Logged, contravariant=True)


@dataclass(frozen=True, kw_only=True)
class AnyStep(ABC, Generic[Context_contra]):
    """One action, as data, which the same class carries out in a context."""

    name: ClassVar[str]
    component: str

    @property
    @abstractmethod
    def says(self) -> str:
        """For people: what will happen."""

    def already(self, context: Context_contra) -> str:
        """Why there is nothing to do, by the real state; empty when there is something."""
        return ""

    @abstractmethod
    def run(self, context: Context_contra) -> str:
        """Do it; one line about what happened."""

    def as_data(self) -> dict[str, Any]:
        """For a plan document."""
        return {"step": self.name, **_plain(asdict(self))}


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job of a workflow, and the steps it carries out."""

    key: str
    """Its key under `jobs:`."""
    title: str
    """Its name on the page; {component} where it has a leg for each."""
    steps: tuple[type[AnyStep[Any]], ...]

    @property
    def per_component(self) -> bool:
        return "{component}" in self.title


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of a step."""

    step: AnyStep[Any]
    seconds: float
    text: str
    skipped: bool = False


def carry_out(steps: Sequence[AnyStep[Context_contra]], context: Context_contra) -> list[Done]:
    """Carry out the steps in order. A failure names its step and what was done before it."""
    done: list[Done] = []
    for number, step in enumerate(steps, 1):
        head = f"{number}/{len(steps)} {step.component}: {step.says}"
        started = time.monotonic()
        try:
            reason = step.already(context)
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


def as_markdown(done: Sequence[Done]) -> str:
    """A table for the summary."""
    rows = [f"| {d.step.component} | {_cell(d.step.says)} | {_cell(d.text)} | {d.seconds:.1f} s |" for d in done]
    return "\n".join(["| component | step | result | time |", "|---|---|---|--:|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
