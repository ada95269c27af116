"""What a check says it needs is what its job gets."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipelines.ci import legs
from pipelines.ci.matrix import Planned
from pipelines.errors import ManifestError
from pipelines.manifest import Manifest, parse

TEXT = """
platform: {name: shop, repository: shop/shop}
components: {api: {paths: ["api/**"]}}
ci:
  checks:
    lint: {run: [ruff check], components: [api]}
    site: {run: [npm test], components: [api], title: Site tests, timeout_minutes: 5, python: false, node: [web, api]}
    suite: {run: [pytest], components: [api], title: Suite tests, pythons: ["3.11", "3.14"]}
environments: {}
"""
MANIFEST = parse(TEXT)


def matrix(manifest: Manifest, *running: str) -> list[dict[str, object]]:
    planned = [Planned(check=name, runs=name in running, why="x") for name in manifest.ci.checks]
    return legs.matrix(manifest, tuple(planned))


def test_a_job_has_what_its_check_needs() -> None:
    assert matrix(MANIFEST, "lint", "site") == [
        {
            "name": "lint",
            "check": "lint",
            "title": "lint",
            "timeout_minutes": 15,
            "python": "3.11",
            "requirements": "dev",
            "node": "",
        },
        {
            "name": "site",
            "check": "site",
            "title": "Site tests",
            "timeout_minutes": 5,
            "python": "3.11",
            "requirements": "runtime",
            "node": "web api",
        },
    ]


def test_a_check_that_lists_pythons_has_a_job_for_each() -> None:
    found = matrix(MANIFEST, "suite")
    assert [(leg["name"], leg["title"], leg["python"]) for leg in found] == [
        ("suite-3.11", "Suite tests (Python 3.11)", "3.11"),
        ("suite-3.14", "Suite tests (Python 3.14)", "3.14"),
    ]


def test_nothing_to_run_is_no_job() -> None:
    assert matrix(MANIFEST) == []


def test_the_usual_python_is_that_of_the_set_up() -> None:
    action = yaml.safe_load((Path(__file__).parents[3] / "actions/setup/action.yml").read_text())
    assert action["inputs"]["python-version"]["default"] == legs.PYTHON


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("title: Site tests", "title: lint", "'lint' is also the title of a job of lint"),
        ("title: Site tests", "title: ci", "'ci' is also the title of a job of ci.yml itself"),
        ("lint: {", "a/b: {", "'a/b' cannot name a job's results"),
        ("timeout_minutes: 5", "timeout_minutes: 0", "must be from 1 to 360"),
        ("components: [api], title: Site", "components: [], title: Site", "names no component, so it would never run"),
    ],
)
def test_jobs_that_could_not_be_distinguished_or_never_ran_are_refused(before: str, after: str, message: str) -> None:
    with pytest.raises(ManifestError, match=r"shipmate.yml:\d+: ci/checks/") as caught:
        parse(TEXT.replace(before, after, 1))
    assert message in str(caught.value)
