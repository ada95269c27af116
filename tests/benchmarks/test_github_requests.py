"""A release's requests, counted by job and by route."""

from __future__ import annotations

from benchmarks.github_requests import by_job


def test_requests_are_those_of_jobs_by_their_names_the_most_first() -> None:
    """A run that was run again has a job of each attempt by the same name."""
    run = {
        "jobs": [{"id": 1, "name": "Plan"}, {"id": 2, "name": "Go live"}, {"id": 3, "name": "Go live"}],
        "requests": {"by_job": {"1": {"GET /a": 2}, "2": {"GET /a": 1, "POST /b": 1}, "3": {"POST /b": 2}}},
    }
    found = by_job(run)
    assert list(found) == ["Go live", "Plan"]
    assert found["Go live"] == {"GET /a": 1, "POST /b": 3}
    assert found["Plan"].total() == 2
