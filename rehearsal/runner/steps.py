"""The steps of a job before they run: their ids in act's log, the names people see, the head of their logs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.runner.expressions import Scope, evaluate, interpolate, split
from rehearsal.runner.functions import ExpressionError
from rehearsal.runner.values import to_string, truthy
from rehearsal.runner.workflow import JobSpec

_GITHUB = re.compile(r"\bgithub\.([\w-]+)", re.IGNORECASE)


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
    contexts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What its expressions can see before the job runs."""


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
        contexts=scope.contexts,
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


def header(step: PlannedStep, done: Mapping[str, Mapping[str, Any]]) -> str:
    """The folded group GitHub puts at the head of a step's log: what runs, with what; its expressions evaluated. Not masked yet.

    `done`: the `steps` context, that is outputs, outcome and conclusion of the steps before it, by their ids. An expression that
    names what only act knows (`env`, `runner`, `github.workspace`, `hashFiles`) stays as it is written.
    """
    scope = Scope(contexts={**step.contexts, "steps": done})
    raw = step.raw
    lines = ["##[group]" + _evaluated(default_name(raw), scope)]
    if raw.get("run"):
        lines += _evaluated(str(raw["run"]), scope).rstrip("\n").split("\n")
        lines.append(f"shell: {raw.get('shell') or 'bash -e {0}'}")
    for section in ("with", "env"):
        if isinstance(raw.get(section), Mapping):
            lines.append(f"{section}:")
            lines += [f"  {name}: {_evaluated(to_string(value), scope)}" for name, value in raw[section].items()]
    return "\n".join([*lines, "##[endgroup]"])


def _evaluated(text: str, scope: Scope) -> str:
    """The text with each expression that can be evaluated replaced by its value."""
    if "${{" not in text:
        return text
    try:
        parts = split(text)
    except ExpressionError:
        return text
    return "".join(_value_of(part, scope) if kind == "expression" else part for kind, part in parts)


def _value_of(expression: str, scope: Scope) -> str:
    known = {name.lower() for name in scope.contexts.get("github") or ()}
    try:
        if all(name.lower() in known for name in _GITHUB.findall(expression)):
            return to_string(evaluate(expression, scope))
    except ExpressionError:
        pass
    return "${{ " + expression + " }}"
