"""The steps of a job before they run: their ids in act's log, the names people see, the head of their logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.runner.expressions import Scope, interpolate
from rehearsal.runner.functions import ExpressionError
from rehearsal.runner.values import to_string, truthy
from rehearsal.runner.workflow import JobSpec


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    id: str
    """As act logs it: the step's own id, or its index."""
    name: str
    raw: Mapping[str, Any]
    tolerated: bool
    """`continue-on-error`: shown as success."""
    evaluated_by_act: bool = False
    """The name uses what only a running job knows; act's text replaces ours when the step begins."""


def plan(spec: JobSpec, contexts: Mapping[str, Any]) -> list[PlannedStep]:
    return [_planned(index, step, Scope(contexts=contexts)) for index, step in enumerate(spec.steps)]


def _planned(index: int, step: Mapping[str, Any], scope: Scope) -> PlannedStep:
    name, evaluated_by_act = default_name(step), False
    if step.get("name"):
        try:
            name = to_string(interpolate(str(step["name"]), scope))
        except ExpressionError:
            name, evaluated_by_act = str(step["name"]), True
    return PlannedStep(
        id=str(step.get("id") or index),
        name=name,
        raw=step,
        tolerated=_tolerated(step, scope),
        evaluated_by_act=evaluated_by_act,
    )


def _tolerated(step: Mapping[str, Any], scope: Scope) -> bool:
    try:
        return truthy(interpolate(step.get("continue-on-error", False), scope))
    except ExpressionError:
        return False


def default_name(step: Mapping[str, Any]) -> str:
    """`Run actions/checkout@v4`, or `Run` and the script's first line."""
    text = str(step.get("uses") or step.get("run") or "").strip()
    return f"Run {text.splitlines()[0] if text else ''}".rstrip()


def header(step: Mapping[str, Any]) -> str:
    """The folded group GitHub puts at the head of a step's log: what runs, with what."""
    lines = [f"##[group]{default_name(step)}"]
    if step.get("run"):
        lines += str(step["run"]).rstrip("\n").split("\n")
        lines.append(f"shell: {step.get('shell') or 'bash -e {0}'}")
    for section in ("with", "env"):
        if isinstance(step.get(section), Mapping):
            lines.append(f"{section}:")
            lines += [f"  {name}: {to_string(value)}" for name, value in step[section].items()]
    return "\n".join([*lines, "##[endgroup]"])
