"""The jobs of a workflow run: what they are called, what they came to, where their logs are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.github import GitHub

PAGE = 100
MOST_PAGES = 3
"""A matrix has 256 jobs at most."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job of the newest attempt."""

    title: str
    conclusion: str
    """success, failure, cancelled, skipped, timed_out; empty while it is not finished."""
    url: str


def of_run(github: GitHub, run: int | str) -> list[Job]:
    """All jobs of a run. Raises what GitHub.json raises."""
    found: list[Job] = []
    for page in range(1, MOST_PAGES + 1):
        path = f"/repos/{github.name}/actions/runs/{run}/jobs?per_page={PAGE}&page={page}"
        listed = (github.json("GET", path) or {}).get("jobs", [])
        found += [
            Job(title=str(job["name"]), conclusion=str(job.get("conclusion") or ""), url=str(job.get("html_url") or ""))
            for job in listed
        ]
        if len(listed) < PAGE:
            break
    return found
