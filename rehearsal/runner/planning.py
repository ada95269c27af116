"""From an entry under `jobs:` to what is to be done: matrix jobs, names, environment, limits. Evaluates, carries out nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.runner import globs, inputs, matrix, permissions
from rehearsal.runner.expressions import Scope, interpolate, interpolate_all
from rehearsal.runner.graph import Graph
from rehearsal.runner.hub import InputError
from rehearsal.runner.settings import Settings
from rehearsal.runner.values import to_number, to_string, truthy
from rehearsal.runner.workflow import JobSpec, Workflow, WorkflowError, parse

MAX_DEPTH = 10
"""Workflows that call workflows, as on GitHub."""


@dataclass(frozen=True, kw_only=True)
class MatrixJobPlan:
    """One job of a matrix, evaluated; without a matrix the only one."""

    name: str
    matrix: Mapping[str, Any]
    contexts: Mapping[str, Any]
    labels: tuple[str, ...]
    environment: str | None
    makes_deployment: bool
    tolerated: bool
    timeout_minutes: float


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """The jobs of a matrix and how they go together."""

    plans: tuple[MatrixJobPlan, ...]
    fail_fast: bool
    max_parallel: int


def expand(graph: Graph, key: str, contexts: Mapping[str, Any], settings: Settings) -> Expansion:
    """Raises ExpressionError or WorkflowError for what GitHub would refuse."""
    spec = graph.workflow.jobs[key]
    strategy = interpolate_all(dict(spec.strategy), Scope(contexts=contexts))
    combinations = matrix.combinations(key, strategy["matrix"]) if "matrix" in strategy else [{}]
    fail_fast = truthy(strategy.get("fail-fast", True))
    most = int(to_number(strategy.get("max-parallel") or len(combinations)))
    plans = []
    for index, values in enumerate(combinations):
        known = {"fail-fast": fail_fast, "job-index": index, "job-total": len(combinations), "max-parallel": most}
        plans.append(_plan(graph, spec, values, {**contexts, "matrix": values, "strategy": known}, settings))
    return Expansion(plans=tuple(plans), fail_fast=fail_fast, max_parallel=max(1, most))


def _plan(
    graph: Graph, spec: JobSpec, values: Mapping[str, Any], contexts: Mapping[str, Any], settings: Settings
) -> MatrixJobPlan:
    scope = Scope(contexts=contexts)
    written = spec.raw.get("name")
    name = to_string(interpolate(written, scope)) if written else matrix.job_name(spec.key, values)
    if written and "${{" not in str(written):
        name = matrix.job_name(name, values)
    environment = interpolate((spec.environment or {}).get("name"), scope)
    return MatrixJobPlan(
        name=graph.name_prefix + name,
        matrix=values,
        contexts=contexts,
        labels=_labels(interpolate_all(spec.raw.get("runs-on"), scope)),
        environment=to_string(environment) or None,
        makes_deployment=truthy(interpolate((spec.environment or {}).get("deployment", True), scope)),
        tolerated=truthy(interpolate(spec.raw.get("continue-on-error", False), scope)),
        timeout_minutes=to_number(
            interpolate(spec.raw.get("timeout-minutes", settings.default_timeout_minutes), scope)
        ),
    )


def skipped_name(graph: Graph, key: str, contexts: Mapping[str, Any]) -> str:
    """A skipped job is shown once, its matrix not expanded."""
    written = graph.workflow.jobs[key].raw.get("name")
    if not written or "matrix." in str(written):
        return graph.name_prefix + key
    return graph.name_prefix + to_string(interpolate(written, Scope(contexts=contexts)))


def _labels(runs_on: Any) -> tuple[str, ...]:
    if isinstance(runs_on, Mapping):
        runs_on = runs_on.get("labels") or []
    return (runs_on,) if isinstance(runs_on, str) else tuple(to_string(label) for label in runs_on or ())


def unsupported(spec: JobSpec, plan: MatrixJobPlan, settings: Settings) -> str | None:
    """Why this machine cannot be the runner a job asks for; None when it can."""
    if spec.raw.get("container"):
        return f"jobs.{spec.key}.container needs a container engine: this path is not rehearsed."
    for service in spec.raw.get("services") or {}:
        if service not in settings.services:
            provided = ", ".join(settings.services) or "none"
            return (
                f"jobs.{spec.key}.services.{service} needs a container engine: this path is not rehearsed "
                f"(services the world provides itself: {provided})."
            )
    for label in plan.labels:
        if not any(globs.matches([pattern], label.lower()) for pattern in settings.labels):
            offered = ", ".join(settings.labels)
            return f"jobs.{spec.key}.runs-on: no runner here is labelled '{label}' (this machine offers {offered})."
    return None


def token_permissions(graph: Graph, spec: JobSpec, *, from_fork: bool) -> dict[str, str]:
    """What the token of a job, or of a called workflow, may do. Raises WorkflowError."""
    return permissions.granted(
        graph.workflow.raw.get("permissions"),
        spec.raw.get("permissions"),
        caller=graph.permissions,
        from_fork=from_fork,
    )


def call(graph: Graph, spec: JobSpec, plan: MatrixJobPlan, files: Mapping[str, str], *, from_fork: bool) -> Graph:
    """The graph of a called workflow, its inputs checked. Raises WorkflowError, ExpressionError."""
    called = _called_workflow(graph, spec, files)
    given = interpolate_all(dict(spec.raw.get("with") or {}), Scope(contexts=plan.contexts))
    try:
        values = inputs.called(called.inputs("workflow_call"), given)
    except InputError as error:
        raise WorkflowError(f"{graph.workflow.path}: jobs.{spec.key} calls {called.path}: {error}") from error
    _check_secrets(graph, spec, called)
    return Graph(
        workflow=called,
        key_prefix=f"{graph.key_prefix}{spec.key}/",
        name_prefix=f"{plan.name} / ",
        inputs=values,
        parent=graph,
        secrets=spec.raw.get("secrets") or {},
        permissions=token_permissions(graph, spec, from_fork=from_fork),
    )


def _called_workflow(graph: Graph, spec: JobSpec, files: Mapping[str, str]) -> Workflow:
    where = f"{graph.workflow.path}: jobs.{spec.key}.uses"
    uses = str(spec.calls)
    path = uses.removeprefix("./")
    if not uses.startswith("./"):
        raise WorkflowError(f"{where}: {uses} is in another repository: only local workflows (`./…`) are rehearsed.")
    if path not in files:
        known = ", ".join(sorted(files))
        raise WorkflowError(f"{where}: there is no {path} at this commit (workflows: {known})")
    called = parse(path, files[path])
    if "workflow_call" not in called.on:
        raise WorkflowError(f"{where}: {path} has no `on: workflow_call`")
    if graph.key_prefix.count("/") + 2 > MAX_DEPTH:
        raise WorkflowError(f"{where}: more than {MAX_DEPTH} workflows call each other")
    return called


def _check_secrets(graph: Graph, spec: JobSpec, called: Workflow) -> None:
    given = spec.raw.get("secrets") or {}
    declared = (called.on["workflow_call"].get("secrets")) or {}
    if given == "inherit":
        return
    missing = [name for name, about in declared.items() if (about or {}).get("required") and name not in given]
    if missing:
        raise WorkflowError(
            f"{graph.workflow.path}: jobs.{spec.key}.secrets lacks {', '.join(missing)}, required by {called.path}"
        )


def secrets_of(graph: Graph, repository: Mapping[str, str], contexts: Mapping[str, Any]) -> dict[str, str]:
    """The repository's secrets as they arrive in a called workflow, through every caller above it."""
    if graph.parent is None:
        return dict(repository)
    above = secrets_of(graph.parent, repository, contexts)
    if graph.secrets == "inherit":
        return above
    scope = Scope(contexts={**contexts, "secrets": above})
    return {str(name): to_string(interpolate(value, scope)) for name, value in dict(graph.secrets).items()}
