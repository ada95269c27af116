"""What the jobs of CI may be called: they are distinguished by their titles, and keep their results under their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.manifest.components import Ci

OTHER_JOBS = ("Plan", "Report", "ci")
"""Titles of the jobs of ci.yml that are no checks."""
LONGEST_JOB = 360
"""Minutes GitHub gives a job on its runners."""
_JOB = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def problems(ci: Ci) -> Iterator[tuple[str, str]]:
    """What is wrong with the checks, each with its path in the manifest."""
    taken = dict.fromkeys(OTHER_JOBS, "ci.yml itself")
    for name, check in ci.checks.items():
        where = f"ci/checks/{name}"
        if not check.components:
            yield f"{where}/components", "names no component, so it would never run"
        if not 1 <= check.timeout_minutes <= LONGEST_JOB:
            yield f"{where}/timeout_minutes", f"must be from 1 to {LONGEST_JOB}: no hosted runner works longer"
        for job, title in check.titles(name).items():
            if not _JOB.fullmatch(job):
                yield where, f"{job!r} cannot name a job's results: use letters, digits, dots, hyphens and underscores"
            if title in taken:
                yield f"{where}/title", f"{title!r} is also the title of a job of {taken[title]}"
            taken[title] = name
