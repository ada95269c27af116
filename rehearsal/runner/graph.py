"""The jobs of one run: what is finished, what may start, what is skipped. Decisions only; nothing is carried out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.runner.expressions import Scope, condition, interpolate
from rehearsal.runner.model import Job
from rehearsal.runner.values import to_string
from rehearsal.runner.workflow import Workflow, ancestors


@dataclass(kw_only=True)
class MatrixJob:
    """One execution of an entry under `jobs:`: a job, or a called workflow with jobs of its own."""

    job: Job | None = None
    inner: Graph | None = None

    def result(self) -> str | None:
        """success, failure, cancelled, skipped; None while it is not finished."""
        if self.inner is not None:
            return self.inner.result()
        if self.job is None or self.job.status != "completed":
            return None
        tolerated = self.job.tolerated and self.job.conclusion == "failure"
        return "success" if tolerated else self.job.conclusion

    def outputs(self) -> Mapping[str, str]:
        if self.inner is not None:
            return self.inner.outputs()
        return self.job.outputs if self.job is not None else {}


@dataclass(kw_only=True)
class Graph:
    """A workflow file being carried out. A called one hangs under a matrix job of its caller."""

    workflow: Workflow
    key_prefix: str = ""
    """`caller/` for a called workflow."""
    name_prefix: str = ""
    """`caller / ` for a called workflow."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    parent: Graph | None = None
    secrets: Any = "inherit"
    """How a called workflow gets secrets: "inherit" or the caller's mapping, unevaluated."""
    permissions: Mapping[str, str] | None = None
    """What the caller's token may do; None at the top."""
    matrix_jobs: dict[str, list[MatrixJob]] = field(default_factory=dict)
    """Of every job that is decided: skipped, or started once for each combination of its matrix."""
    started: bool = True
    """False while a called workflow waits for its caller's concurrency group."""
    cancelled: bool = False

    def is_cancelled(self) -> bool:
        return self.cancelled or (self.parent is not None and self.parent.is_cancelled())

    def ready(self) -> list[str]:
        """Keys of jobs that are not decided and need nothing that is unfinished."""
        if not self.started:
            return []
        return [
            key
            for key, spec in self.workflow.jobs.items()
            if key not in self.matrix_jobs and all(self.job_result(need) is not None for need in spec.needs)
        ]

    def job_result(self, key: str) -> str | None:
        """The result of an entry over all jobs of its matrix; None while one is unfinished or it is not decided."""
        if key not in self.matrix_jobs:
            return None
        return combined(matrix_job.result() for matrix_job in self.matrix_jobs[key])

    def result(self) -> str | None:
        return combined(self.job_result(key) for key in self.workflow.jobs)

    def status(self, key: str, *, cancelled: bool) -> dict[str, bool]:
        """The status functions in the `if:` of a job. As on GitHub they look at all ancestors, not only at `needs`:
        a skipped one far up skips everything below that does not say otherwise."""
        results = [self.job_result(ancestor) for ancestor in ancestors(self.workflow.jobs, key)]
        return {
            "success": not cancelled and all(result == "success" for result in results),
            "failure": not cancelled and "failure" in results,
            "cancelled": cancelled,
        }

    def needs(self, key: str) -> dict[str, Any]:
        """The `needs` context of a job."""
        return {need: self._need(need) for need in self.workflow.jobs[key].needs}

    def _need(self, key: str) -> dict[str, Any]:
        return {"result": self.job_result(key) or "", "outputs": self.job_outputs(key)}

    def job_outputs(self, key: str) -> dict[str, str]:
        """Outputs over all jobs of a matrix: of several the last to finish wins, empty values never."""
        merged: dict[str, str] = {}
        for matrix_job in sorted(self.matrix_jobs.get(key, ()), key=_finished):
            for name, value in matrix_job.outputs().items():
                if value or name not in merged:
                    merged[name] = value
        return merged

    def outputs(self) -> dict[str, str]:
        """What a called workflow gives to its caller."""
        declared = self.workflow.on.get("workflow_call", {}).get("outputs") or {}
        scope = Scope(contexts={"jobs": {key: self._need(key) for key in self.workflow.jobs}, "inputs": self.inputs})
        return {name: to_string(interpolate((spec or {}).get("value", ""), scope)) for name, spec in declared.items()}

    def walk(self) -> Iterator[Graph]:
        """This graph and every called one that has begun."""
        yield self
        for matrix_jobs in list(self.matrix_jobs.values()):
            for matrix_job in matrix_jobs:
                if matrix_job.inner is not None:
                    yield from matrix_job.inner.walk()

    def jobs(self) -> list[Job]:
        """Every job that is decided, here and in called workflows."""
        return [
            matrix_job.job
            for graph in self.walk()
            for matrix_jobs in graph.matrix_jobs.values()
            for matrix_job in matrix_jobs
            if matrix_job.job is not None
        ]


def should_run(graph: Graph, key: str, contexts: Mapping[str, Any], *, cancelled: bool) -> bool:
    """The verdict of a job's `if:`. Raises ExpressionError."""
    scope = Scope(contexts=contexts, status=graph.status(key, cancelled=cancelled))
    return condition(graph.workflow.jobs[key].raw.get("if"), scope)


def combined(results: Iterable[str | None]) -> str | None:
    """One result for many: None while one is unfinished; failure beats cancelled beats success; all skipped is skipped."""
    listed = list(results)
    if any(result is None for result in listed):
        return None
    for decisive in ("failure", "cancelled"):
        if decisive in listed:
            return decisive
    return "skipped" if all(result == "skipped" for result in listed) else "success"


def _finished(matrix_job: MatrixJob) -> float:
    if matrix_job.inner is not None:
        return max((job.completed_at.timestamp() for job in matrix_job.inner.jobs() if job.completed_at), default=0.0)
    return (
        matrix_job.job.completed_at.timestamp() if matrix_job.job is not None and matrix_job.job.completed_at else 0.0
    )


def kept_by_rerun(graph: Graph, *, failed_only: bool) -> set[tuple[str, str]]:
    """(key, name) of the jobs whose results a re-run takes over: those that succeeded and need nothing that runs again."""
    if not failed_only:
        return set()
    kept: set[tuple[str, str]] = set()
    for part in graph.walk():
        again = _runs_again(part)
        for key, matrix_jobs in part.matrix_jobs.items():
            fine = [
                matrix_job.job
                for matrix_job in matrix_jobs
                if matrix_job.job is not None and matrix_job.job.conclusion == "success"
            ]
            kept.update((job.key, job.name) for job in fine if key not in again)
    return kept


def _runs_again(graph: Graph) -> set[str]:
    """Keys all of whose jobs run again, because something they need does; failed jobs alone are known by their result."""
    jobs = graph.workflow.jobs
    failed = {key for key in jobs if _has_failure(graph, key)}
    again = {key for key in jobs if failed.intersection(ancestors(jobs, key))}
    above = graph.parent
    if above is not None and graph.key_prefix.split("/")[-2] in _runs_again(above):
        return set(jobs)
    return again


def _has_failure(graph: Graph, key: str) -> bool:
    return any(
        (matrix_job.inner is not None and matrix_job.inner.result() in ("failure", "cancelled"))
        or (matrix_job.job is not None and matrix_job.job.conclusion in ("failure", "cancelled", "timed_out"))
        for matrix_job in graph.matrix_jobs.get(key, ())
    )
