"""How long each browser test took in the last run in which all passed: by them the next run is divided into equally long shares.

They decide no verdict, but which machine runs which test; so they are believed as everything is that a run left (evidence.py).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines.delivery import evidence

if TYPE_CHECKING:
    from pipelines.github import GitHub

FORMAT = 1
KIND = evidence.Kind(
    name="the list of durations",
    workflow=".github/workflows/browser-tests.yml",
    events=("schedule", "workflow_dispatch"),
    job="Report",
    file="durations.json",
    format=FORMAT,
)


def artifact_name(environment: str) -> str:
    """What the reporting job calls the artifact."""
    return f"browser-durations-{environment}"


def written(seconds: Mapping[str, float], *, run: str, attempt: str) -> bytes:
    """`seconds`: test -> how long it took."""
    return json.dumps({"format": FORMAT, "run": run, "attempt": attempt, "seconds": seconds}).encode()


def last_good(github: GitHub, environment: str, *, main: str) -> dict[str, float]:
    """Test -> seconds, of the newest run of an environment in which every test passed; empty when there is none to be believed."""

    def fits(document: Mapping[str, Any], run: Mapping[str, Any]) -> str:
        known = all(isinstance(each, int | float) and math.isfinite(each) and each >= 0 for each in _seconds(document))
        return "" if known else f"{run['html_url']} has a test whose duration is none"

    for document, _ in evidence.look(github, KIND, artifact_name(environment), fits, main=main):
        if document is not None:
            return {test: float(seconds) for test, seconds in document["seconds"].items()}
    return {}


def _seconds(document: Mapping[str, Any]) -> list[object]:
    return list(document["seconds"].values())
