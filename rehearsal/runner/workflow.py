"""A workflow file as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import yaml

QUEUES = ("single", "max")
"""`concurrency.queue`: how many may wait for a group: one, or up to a hundred, first come first served."""


class WorkflowError(ValueError):
    """A workflow file that GitHub would not start; the text names the file, the place and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class JobSpec:
    """One entry under `jobs:`."""

    key: str
    needs: tuple[str, ...]
    raw: Mapping[str, Any]
    """Everything in the file, unevaluated."""

    @property
    def calls(self) -> str | None:
        """The reusable workflow it calls, if it does."""
        uses = self.raw.get("uses")
        return str(uses) if uses else None

    @property
    def steps(self) -> list[dict[str, Any]]:
        return list(self.raw.get("steps") or ())

    @property
    def strategy(self) -> Mapping[str, Any]:
        return self.raw.get("strategy") or {}

    @property
    def environment(self) -> Mapping[str, Any] | None:
        """`name` and `url`, unevaluated."""
        value = self.raw.get("environment")
        if not value:
            return None
        return value if isinstance(value, dict) else {"name": value}


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """One file under .github/workflows."""

    path: str
    name: str
    on: Mapping[str, Mapping[str, Any]]
    """Event name -> its filters; every form of `on:` becomes this one."""
    jobs: Mapping[str, JobSpec]
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def run_name(self) -> str | None:
        return self.raw.get("run-name")

    def inputs(self, event: str) -> Mapping[str, Mapping[str, Any]]:
        """Input declarations of workflow_dispatch or workflow_call."""
        declared = self.on.get(event, {}).get("inputs") or {}
        return {str(name): spec or {} for name, spec in declared.items()}


class _Loader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]
    """YAML 1.2's idea of scalars: `on`, `yes` and dates are text. A key given twice is an error, as on GitHub."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{key.value}' is already defined", key.start_mark)
            seen.add(str(key.value))
        return dict(super().construct_mapping(node, deep=deep))


_KEPT_TAGS = ("tag:yaml.org,2002:null", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:merge")


def _plain_scalars() -> dict[str, list[tuple[str, Any]]]:
    kept: dict[str, list[tuple[str, Any]]] = {}
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items():
        kept[first] = [(tag, pattern) for tag, pattern in resolvers if tag in _KEPT_TAGS]
    return kept


_Loader.yaml_implicit_resolvers = _plain_scalars()
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


@lru_cache(maxsize=256)
def parse(path: str, text: str) -> Workflow:
    """Read a workflow file. Raises WorkflowError."""
    try:
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise WorkflowError(f"{path}: not YAML: {_first_line(error)}") from error
    if not isinstance(raw, dict):
        raise WorkflowError(f"{path}: a workflow is a mapping with `on` and `jobs`")
    on = _events(path, raw.get("on"))
    _check_concurrency(f"{path}: concurrency", raw.get("concurrency"))
    jobs = _jobs(path, raw.get("jobs"))
    return Workflow(path=path, name=str(raw.get("name") or path), on=on, jobs=jobs, raw=raw)


def is_workflow(path: str) -> bool:
    """GitHub reads *.yml and *.yaml directly under .github/workflows."""
    file = PurePosixPath(path)
    return file.suffix in (".yml", ".yaml") and str(file.parent) == ".github/workflows"


def _first_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem)


def _events(path: str, on: Any) -> dict[str, Mapping[str, Any]]:
    if isinstance(on, str):
        return {on: {}}
    if isinstance(on, list):
        return {str(name): {} for name in on}
    if isinstance(on, dict) and on:
        # `schedule` is a list of crons; the other events are mappings or empty.
        return {
            str(name): ({"crons": filters} if isinstance(filters, list) else filters or {})
            for name, filters in on.items()
        }
    raise WorkflowError(f"{path}: `on` is missing or empty: nothing would ever start this workflow")


def _jobs(path: str, raw: Any) -> dict[str, JobSpec]:
    if not isinstance(raw, dict) or not raw:
        raise WorkflowError(f"{path}: `jobs` is missing or empty")
    jobs = {str(key): _job(path, str(key), value) for key, value in raw.items()}
    for job in jobs.values():
        for need in job.needs:
            if need not in jobs:
                raise WorkflowError(f"{path}: jobs.{job.key}.needs names `{need}`, which is not a job of this workflow")
    _refuse_cycles(path, jobs)
    return jobs


def _job(path: str, key: str, raw: Any) -> JobSpec:
    if not isinstance(raw, dict):
        raise WorkflowError(f"{path}: jobs.{key} is not a mapping")
    if "uses" not in raw:
        for required in ("runs-on", "steps"):
            if not raw.get(required):
                raise WorkflowError(f"{path}: jobs.{key} has no `{required}`")
    _check_concurrency(f"{path}: jobs.{key}.concurrency", raw.get("concurrency"))
    _check_keys(f"{path}: jobs.{key}.environment", raw.get("environment"), ("name", "url", "deployment"), "name")
    needs = raw.get("needs") or ()
    return JobSpec(key=key, raw=raw, needs=(needs,) if isinstance(needs, str) else tuple(str(n) for n in needs))


def _check_concurrency(where: str, raw: Any) -> None:
    _check_keys(where, raw, ("group", "cancel-in-progress", "queue"), "group")
    if not isinstance(raw, dict):
        return
    queue = raw.get("queue", QUEUES[0])
    if queue not in QUEUES:
        raise WorkflowError(f"{where}.queue: '{queue}' is none of: {', '.join(QUEUES)}")
    if queue == "max" and raw.get("cancel-in-progress") is True:
        raise WorkflowError(f"{where}: `queue: max` cannot be combined with `cancel-in-progress: true`")


def _check_keys(where: str, raw: Any, known: tuple[str, ...], required: str) -> None:
    """A short form is text; the long one a mapping of known keys."""
    if not isinstance(raw, dict):
        return
    for key in raw:
        if key not in known:
            raise WorkflowError(f"{where}: unexpected key '{key}' (known: {', '.join(known)})")
    if not raw.get(required):
        raise WorkflowError(f"{where} has no `{required}`")


def _refuse_cycles(path: str, jobs: Mapping[str, JobSpec]) -> None:
    done: set[str] = set()
    while len(done) < len(jobs):
        ready = {key for key, job in jobs.items() if key not in done and done.issuperset(job.needs)}
        if not ready:
            left = ", ".join(sorted(set(jobs) - done))
            raise WorkflowError(f"{path}: the `needs` of {left} form a circle")
        done |= ready


def ancestors(jobs: Mapping[str, JobSpec], key: str) -> list[str]:
    """Every job that must be finished before `key`, near ones first."""
    found: list[str] = []
    waiting = list(jobs[key].needs)
    while waiting:
        need = waiting.pop(0)
        if need not in found:
            found.append(need)
            waiting.extend(jobs[need].needs)
    return found
