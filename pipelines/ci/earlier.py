"""Whether this very commit has passed already: a push of a commit that its pull request checked needs no second look.

The commit is the same object, so what was checked is what was pushed: main can take a checked commit only by fast-forward, and then the
merge that the pull request's run tested is that commit's own tree. A merge commit is another commit, and runs everything it affects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.github import GitHub

REQUIRED = "ci"
"""The check that sums CI up (the job `ci` of ci.yml)."""


def passed(github: GitHub, commit: str) -> str:
    """Address of the newest run of `ci` on the commit, if it succeeded; empty when there is none, or it cannot be told."""
    try:
        found = github.json(
            "GET", f"/repos/{github.name}/commits/{commit}/check-runs?check_name={REQUIRED}&per_page=100"
        )
    except ShipmateError:
        return ""  # fails closed: everything affected runs
    ended = [
        run for run in found["check_runs"] if run["status"] == "completed" and run["app"]["slug"] == "github-actions"
    ]
    newest = max(ended, key=lambda run: run["id"], default=None)
    return str(newest["html_url"]) if newest and newest["conclusion"] == "success" else ""
