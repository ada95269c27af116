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
class Leg:
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
    """A workflow file being carried out. A called one hangs under a leg of its caller."""

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
    legs: dict[str, list[Leg]] = field(default_factory=dict)
    """Of every job that is decided: skipped, or started in one or more legs."""
    begun: bool = True
    """False while a called workflow waits for its caller's concurrency group."""
    cancelled: bool = False

    def is_cancelled(self) -> bool:
        return self.cancelled or (self.parent is not None and self.parent.is_cancelled())

    def ready(self) -> list[str]:
        """Keys of jobs that are not decided and need nothing that is unfinished."""
        if not self.begun:
            return []
        return [
            key
            for key, spec in self.workflow.jobs.items()
            if key not in self.legs and all(self.job_result(need) is not None for need in spec.needs)
        ]

    def job_result(self, key: str) -> str | None:
        """The result of an entry over all its legs; None while one is unfinished or it is not decided."""
        if key not in self.legs:
            return None
        return combined(leg.result() for leg in self.legs[key])

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
        """Outputs over all legs: of several legs the last to finish wins, empty values never."""
        merged: dict[str, str] = {}
        for leg in sorted(self.legs.get(key, ()), key=_finished):
            for name, value in leg.outputs().items():
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
        for legs in list(self.legs.values()):
            for leg in legs:
                if leg.inner is not None:
                    yield from leg.inner.walk()

    def jobs(self) -> list[Job]:
        """Every job that is decided, here and in called workflows."""
        return [leg.job for graph in self.walk() for legs in graph.legs.values() for leg in legs if leg.job is not None]


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


def _finished(leg: Leg) -> float:
    if leg.inner is not None:
        return max((job.completed_at.timestamp() for job in leg.inner.jobs() if job.completed_at), default=0.0)
    return leg.job.completed_at.timestamp() if leg.job is not None and leg.job.completed_at else 0.0


def kept_by_rerun(graph: Graph, *, failed_only: bool) -> set[tuple[str, str]]:
    """(key, name) of the jobs whose results a re-run takes over: those that succeeded and need nothing that runs again."""
    if not failed_only:
        return set()
    kept: set[tuple[str, str]] = set()
    for part in graph.walk():
        again = _runs_again(part)
        for key, legs in part.legs.items():
            fine = [leg.job for leg in legs if leg.job is not None and leg.job.conclusion == "success"]
            kept.update((job.key, job.name) for job in fine if key not in again)
    return kept


def _runs_again(graph: Graph) -> set[str]:
    """Keys all of whose legs run again, because something they need does; failed legs alone are told by their result."""
    jobs = graph.workflow.jobs
    failed = {key for key in jobs if _has_failure(graph, key)}
    again = {key for key in jobs if failed.intersection(ancestors(jobs, key))}
    above = graph.parent
    if above is not None and graph.key_prefix.split("/")[-2] in _runs_again(above):
        return set(jobs)
    return again


def _has_failure(graph: Graph, key: str) -> bool:
    return any(
        (leg.inner is not None and leg.inner.result() in ("failure", "cancelled"))
        or (leg.job is not None and leg.job.conclusion in ("failure", "cancelled", "timed_out"))
        for leg in graph.legs.get(key, ())
    )
