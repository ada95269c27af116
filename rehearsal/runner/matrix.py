"""`strategy.matrix`: lists, include and exclude become the combinations of which each is a job."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.runner.values import equal, to_string
from rehearsal.runner.workflow import WorkflowError

MAX_JOBS = 256
_NAME_LENGTH = 100


def combinations(job: str, matrix: Any) -> list[dict[str, Any]]:
    """One mapping for each job, in GitHub's order. `matrix` is evaluated already.

    Raises WorkflowError for an empty vector, no combination at all, or more than 256.
    """
    if not isinstance(matrix, Mapping):
        raise WorkflowError(f"jobs.{job}.strategy.matrix is not a mapping: {matrix!r}")
    vectors = {key: values for key, values in matrix.items() if key not in ("include", "exclude")}
    for key, values in vectors.items():
        if not isinstance(values, list) or not values:
            raise WorkflowError(f"jobs.{job}.strategy: Matrix vector '{key}' does not contain any values")
    for key in ("include", "exclude"):
        entries = matrix.get(key) or []
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            raise WorkflowError(f"jobs.{job}.strategy.matrix.{key} is not a list of mappings: {entries!r}")
    excluded = matrix.get("exclude") or []
    kept = [each for each in _product(vectors) if not any(_fits(each, pattern) for pattern in excluded)]
    found = _included(kept, list(vectors), matrix.get("include") or [])
    if not found:
        raise WorkflowError(f"jobs.{job}.strategy: Matrix must define at least one vector")
    if len(found) > MAX_JOBS:
        raise WorkflowError(f"jobs.{job}.strategy: {len(found)} jobs; GitHub runs {MAX_JOBS} at most")
    return found


def _product(vectors: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    if not vectors:
        return []
    return [dict(zip(vectors, values, strict=True)) for values in itertools.product(*vectors.values())]


def _fits(combination: Mapping[str, Any], pattern: Mapping[str, Any]) -> bool:
    return all(key in combination and _same(combination[key], value) for key, value in pattern.items())


def _same(left: Any, right: Any) -> bool:
    return left == right if isinstance(left, list | dict) else equal(left, right)


def _included(
    combinations: list[dict[str, Any]], keys: list[str], include: list[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """An `include` entry extends every combination it does not contradict, and is one of its own where there is none."""
    extended = [dict(combination) for combination in combinations]
    added: list[dict[str, Any]] = []
    for entry in include:
        own = {key: value for key, value in entry.items() if key in keys}
        matching = [number for number, combination in enumerate(combinations) if _fits(combination, own)]
        for number in matching:
            extended[number].update({key: value for key, value in entry.items() if key not in keys})
        if not matching:
            added.append(dict(entry))
    return extended + added


def job_name(name: str, combination: Mapping[str, Any]) -> str:
    """`test (ubuntu, 3.11)`, cut as GitHub cuts it."""
    if not combination:
        return name
    full = f"{name} ({', '.join(_flat(combination.values()))})"
    return full if len(full) <= _NAME_LENGTH else full[: _NAME_LENGTH - 3] + "..."


def _flat(values: Any) -> list[str]:
    texts: list[str] = []
    for value in values:
        if isinstance(value, Mapping):
            texts.extend(_flat(value.values()))
        elif isinstance(value, list):
            texts.extend(_flat(value))
        else:
            texts.append(to_string(value))
    return texts
