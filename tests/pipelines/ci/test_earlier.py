"""A commit that passed is not checked again; what cannot be told, is."""

from typing import Any

import pytest

from pipelines.ci.affected import Affected
from pipelines.ci.earlier import passed
from pipelines.ci.matrix import plan
from pipelines.errors import ProviderUnavailable
from pipelines.manifest import load


def run(number: int, conclusion: str | None, *, app: str = "github-actions") -> dict[str, Any]:
    status = "completed" if conclusion else "in_progress"
    return {
        "id": number,
        "status": status,
        "conclusion": conclusion,
        "app": {"slug": app},
        "html_url": f"https://x.test/{number}",
    }


class Answers:
    name = "o/r"

    def __init__(self, *runs: dict[str, Any]) -> None:
        self.runs = runs

    def json(self, method: str, path: str) -> dict[str, Any]:
        return {"check_runs": list(self.runs)}


class Silent:
    name = "o/r"

    def json(self, method: str, path: str) -> dict[str, Any]:
        raise ProviderUnavailable("down")


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ((), ""),
        ((run(1, "success"),), "https://x.test/1"),
        ((run(1, "success"), run(2, "failure")), ""),
        ((run(1, "failure"), run(2, "success")), "https://x.test/2"),
        ((run(1, "success"), run(2, None)), "https://x.test/1"),
        ((run(1, "skipped"),), ""),
        ((run(1, "success", app="somebody-else"),), ""),
    ],
)
def test_only_the_newest_ended_run_of_ours_counts(runs: tuple[dict[str, Any], ...], found: str) -> None:
    assert passed(Answers(*runs), "c") == found  # type: ignore[arg-type]


def test_silence_skips_nothing() -> None:
    assert passed(Silent(), "c") == ""  # type: ignore[arg-type]


def test_the_plan_says_where_it_passed() -> None:
    manifest = load()
    planned = plan(manifest, Affected(reasons={}, everything="no base"), earlier="https://x.test/1")
    assert {p.check for p in planned} == set(manifest.ci.checks)
    assert all(not p.runs and "https://x.test/1" in p.why for p in planned)
