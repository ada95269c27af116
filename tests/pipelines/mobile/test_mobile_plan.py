"""What the jobs of a release hand to each other: the plan, by its digest, the runtime versions, and what became of each platform."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import InputError, RefusedError
from pipelines.mobile import plan, results
from pipelines.mobile.plan import Plan
from pipelines.mobile.results import Result
from pipelines.mobile.steps.start import read_runtimes, write_runtimes

PLAN = Plan(
    tag="mobile-v1.0.1",
    version="1.0.1",
    commit="a" * 40,
    profile="production",
    numbers={"android": 2, "ios": 1},
    notes="• finds notes – überall",
)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    PLAN.write(tmp_path / "made")
    found = plan.fetch(tmp_path / "made", PLAN.digest)
    assert found == PLAN and found.platforms == ("android", "ios") and found.digest == PLAN.digest


@pytest.mark.parametrize(
    "changed", [{"commit": "b" * 40}, {"numbers": {"android": 3, "ios": 1}}, {"notes": ""}, {"tag": "mobile-v1.0.2"}, {"profile": "x"}]
)  # fmt: skip
def test_another_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    replace(PLAN, **changed).write(tmp_path)  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match="the plan is not the one that was verified") as caught:
        plan.fetch(tmp_path, PLAN.digest)
    assert caught.value.next_step == "re-run all jobs of the workflow"


def test_where_there_is_none_the_first_job_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no plan of the release"):
        plan.fetch(tmp_path, PLAN.digest)


def test_that_of_another_version_of_the_suite_is_refused(tmp_path: Path) -> None:
    document = json.dumps({**json.loads(PLAN.document), "format": plan.FORMAT + 1}).encode()
    (tmp_path / plan.FILE).write_bytes(document)
    with pytest.raises(RefusedError, match="by another version of the suite"):
        plan.fetch(tmp_path, hashlib.sha256(document).hexdigest())


def test_each_platform_leaves_a_file_of_its_own(tmp_path: Path) -> None:
    assert results.read(tmp_path) == {}
    ios = Result(platform="ios", number=1, problem="waited 45 minutes", used=True)
    android = Result(
        platform="android",
        number=2,
        build="https://expo.dev/b/2",
        sha256="0" * 64,
        text="2 is on internal",
        waits_for="review",
    )
    for each in (ios, android, replace(android, runtime="r")):
        each.write(tmp_path)
    found = results.read(tmp_path)
    assert found == {"android": replace(android, runtime="r"), "ios": ios}
    assert found["android"].delivered and not found["ios"].delivered
    assert not replace(android, problem="refused").delivered, "what it says of before does not count"
    assert results.as_markdown(found).splitlines()[2:] == [
        "| android | [2](https://expo.dev/b/2) | 2 is on internal | review |",
        "| ios | [1]() | waited 45 minutes | – |",
    ]


def test_runtime_versions_come_from_the_job_that_began_the_builds(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is not known which runtime version"):
        read_runtimes(tmp_path)
    write_runtimes(tmp_path, {"android": "a", "ios": "b"})
    assert read_runtimes(tmp_path) == {"android": "a", "ios": "b"}
