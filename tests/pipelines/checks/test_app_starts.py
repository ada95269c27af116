from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.checks import app_starts
from pipelines.checks.app_starts import ENOUGH, Judged
from pipelines.errors import InvalidRun
from pipelines.roles import AppStart

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def starts(
    release: str, count: int, took: float = 1000.0, *, hours: float = 1, prewarmed: bool = False
) -> list[AppStart]:
    at = NOW - timedelta(hours=hours)
    return [AppStart(at=at, release=release, milliseconds=took, prewarmed=prewarmed) for _ in range(count)]


def mixed(*groups: Sequence[AppStart]) -> Judged:
    """As they come: not sorted by release."""
    every = [start for group in groups for start in group]
    return app_starts.choose(every[::2] + every[1::2])


def test_the_newest_release_with_enough_starts_is_judged() -> None:
    judged = mixed(starts("1.9.0", 400), starts("1.10.0", ENOUGH, 800.0), starts("1.11.0", ENOUGH - 1, 9000.0))
    assert (judged.release, judged.milliseconds) == ("1.10.0", (800.0,) * ENOUGH)
    assert (dict(judged.newer), judged.older) == ({"1.11.0": ENOUGH - 1}, 400)
    assert judged.says() == [
        "1.10.0: 300 starts",
        "1.11.0 is newer, and has 299 of 300 starts",
        "400 starts of older releases do not count",
    ]


def test_without_enough_of_any_release_the_newest_is_judged() -> None:
    """What older releases took is no answer to how fast the app is; too few starts say so themselves."""
    judged = mixed(starts("1.0.0", 200), starts("1.1.0", 3))
    assert (judged.release, len(judged.milliseconds), dict(judged.newer)) == ("1.1.0", 3, {})


def test_builds_of_one_version_are_one_release() -> None:
    judged = mixed(
        starts("com.techmate.app@2.0.0+45", 150), starts("com.techmate.App@2.0.0+31", 150), starts("1.0.0", 500)
    )
    assert (judged.release, len(judged.milliseconds)) == ("2.0.0", 300)


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("com.techmate.app@1.2.0+45", "1.2.0"),
        ("mobile-v1.2.0", "1.2.0"),
        ("app@1.2.0-rc.1+7", "1.2.0-rc.1"),
        ("4f2a91c", "4f2a91c"),
        ("", ""),
    ],
)
def test_the_version_of_a_release(release: str, version: str) -> None:
    assert app_starts.version_of(release) == version


def test_a_pre_release_is_older_than_its_release() -> None:
    names = ("1.2.0-rc.2", "1.2.0", "1.2.0-rc.10", "1.1.9")
    judged = mixed(*(starts(name, ENOUGH - 1) for name in names), starts("1.0", ENOUGH))
    assert list(judged.newer) == ["1.2.0", "1.2.0-rc.10", "1.2.0-rc.2", "1.1.9"]


def test_releases_without_versions_are_ordered_by_when_their_starts_were() -> None:
    judged = mixed(starts("f00", 400, hours=40), starts("f00", 10, hours=0), starts("aba", 350, hours=3))
    assert judged.release == "aba"


def test_what_was_no_start_of_a_persons_is_left_out_and_counted() -> None:
    judged = mixed(
        starts("1.0.0", ENOUGH),
        starts("1.0.0", 200, 40.0, prewarmed=True),
        starts("1.0.0", 3, 60_000.0),
        starts("1.0.0", 2, math.nan),
        starts("1.0.0", 1, -5.0),
        starts("", 8),
    )
    assert len(judged.milliseconds) == ENOUGH
    assert judged.left_out == {app_starts.PREWARMED: 200, app_starts.TOO_LONG: 3, app_starts.NO_DURATION: 3}
    text = "; ".join(judged.says())
    assert "3 left out, a minute or longer" in text
    assert "200 left out, prewarmed" in text
    assert "8 starts came without a release" in text


def test_a_start_just_below_a_minute_counts_however_slow_it_is() -> None:
    assert app_starts.choose(starts("1.0.0", 1, 59_999.0)).milliseconds == (59_999.0,)


@pytest.mark.parametrize(("too_long", "believed"), [(15, True), (16, False)])
def test_so_many_that_are_too_long_that_they_could_be_the_slow_ones(too_long: int, believed: bool) -> None:
    """Left out they would make a percentile of the others; one of twenty cannot move the 95th beyond what they hide."""
    some = [*starts("1.0.0", 300 - too_long), *starts("1.0.0", too_long, 90_000.0)]
    if believed:
        assert len(app_starts.choose(some).milliseconds) == 285
    else:
        with pytest.raises(InvalidRun, match=r"16 of 300 starts of 1.0.0 took a minute or longer"):
            app_starts.choose(some)


@pytest.mark.parametrize("some", [[], starts("", 12)])
def test_without_a_start_there_is_no_release(some: list[AppStart]) -> None:
    judged = app_starts.choose(some)
    assert (judged.release, judged.milliseconds, judged.unnamed) == ("", (), len(some))
    assert judged.says() == ["no start of a release was reported"]


def test_what_one_job_wrote_another_reads(tmp_path: Path) -> None:
    judged = mixed(starts("1.0.0", 310, 1234.5), starts("1.0.0", 1, 70_000.0), starts("1.1.0", 2), starts("0.9.0", 4))
    assert app_starts.read(app_starts.write(judged, tmp_path).parent) == judged


@pytest.mark.parametrize(
    "text", [None, "", "[]", "{}", '{"release": "1"}', '{"release": "1", "milliseconds": ["fast"]}']
)
def test_a_result_that_cannot_be_read_says_nothing(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / app_starts.FILE).write_text(text)
    with pytest.raises(InvalidRun, match="the app starts left no result"):
        app_starts.read(tmp_path)
