"""The plots are valid XML whatever is in the names, and show what they should."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from rehearsal.report import svg, timeline, user_traffic
from rehearsal.report.model import Event, TrafficShift, UserRequest, WentLive
from tests.rehearsal.report.example import BEGAN, job, requests, run, step, story, traffic

HOSTILE = '</svg><script>alert(1)</script>" onload="x" & \x00\x1b[31m ]]> \ud800 ' + "long " * 400
NAMESPACE = "{http://www.w3.org/2000/svg}"


def parsed(drawing: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawing.encode("utf-8"))  # noqa: S314 - it is our own drawing


def texts(drawing: str) -> str:
    return "\n".join(element.text or "" for element in parsed(drawing).iter(f"{NAMESPACE}text"))


def test_a_timeline_names_runs_jobs_and_what_went_live() -> None:
    shown = texts(timeline.timeline(story()))
    for name in (
        "users",
        "went live",
        "Deploy to Production · Deploy v1.0.1 to production",
        "Deploy backend",
        "3.0 s",
    ):
        assert name in shown


@pytest.mark.parametrize(
    "shown_story",
    [
        story(),
        story(runs=[], traffic=[], live=[], events=[]),
        story(started=BEGAN, ended=BEGAN),
        story(
            title=HOSTILE,
            runs=[
                run(
                    job(HOSTILE, conclusion="failure", log=["x"]),
                    job("a", conclusion="cancelled"),
                    job("b", conclusion="skipped"),
                    job("c", started=-BEGAN, ended=-BEGAN, conclusion="queued"),
                    job("d", attempt=3, steps=[step(HOSTILE, 1, 2)]),
                    workflow=HOSTILE,
                    title=HOSTILE,
                )
            ],
            live=[WentLive(at=BEGAN + n, text=HOSTILE, environment=HOSTILE, release=HOSTILE) for n in range(12)],
            events=[Event(kind="action", text=HOSTILE, user=HOSTILE, started=BEGAN, ended=BEGAN + 4)],
        ),
    ],
    ids=["usual", "empty", "no time", "hostile"],
)
def test_a_timeline_is_valid_xml_and_carries_no_markup_from_outside(shown_story) -> None:  # type: ignore[no-untyped-def]
    kinds = {element.tag.removeprefix(NAMESPACE) for element in parsed(timeline.timeline(shown_story)).iter()}
    assert kinds <= {"svg", "g", "title", "text", "rect", "path", "circle", "a"}


def test_failed_jobs_are_red_marked_and_lead_to_their_log() -> None:
    drawing = timeline.timeline(
        story(runs=[run(job("Tests", conclusion="failure", id=9, log=["x"]), conclusion="failure")])
    )
    assert [link.get("href") for link in parsed(drawing).iter(f"{NAMESPACE}a")] == ["#job-quick-start-9"]
    assert "3.0 s ✗" in texts(drawing)
    assert any(bar.get("fill") == "var(--bad)" for bar in parsed(drawing).iter(f"{NAMESPACE}rect"))


def test_skipped_jobs_are_left_out_and_second_attempts_labelled() -> None:
    shown = texts(timeline.timeline(story(runs=[run(job("A", conclusion="skipped"), job("B", attempt=2))])))
    assert "B (attempt 2)" in shown
    assert "\nA\n" not in shown


def test_names_that_would_meet_stand_on_rows_of_their_own() -> None:
    ends: list[float] = []
    assert [svg.free_row(ends, left, left + 10) for left in (0, 5, 11, 16, 30)] == [0, 1, 0, 1, 0]


def test_the_users_plot_has_a_mark_for_each_shift_and_a_cross_for_each_failure() -> None:
    seen = {"backend": requests("v1", 0, 4) + requests("HTTP 503", 4, 4.35, ok=False) + requests("v2", 5, 9)}
    shifts = [
        TrafficShift(at=BEGAN + 4, component="backend", text="v2 50 %"),
        TrafficShift(at=BEGAN + 4, component="web", text="other"),
    ]
    drawing = user_traffic.plot(traffic(requests=seen, shifts=shifts), "backend")
    classes = [element.get("class") for element in parsed(drawing).iter()]
    assert classes.count("cross") == 3
    assert classes.count("shifted") == 1
    assert classes.count("dots") == 2
    assert "v2 50 %" in texts(drawing)
    assert "other" not in texts(drawing)


@pytest.mark.parametrize("count", [1, 2, 500])
def test_the_users_plot_is_valid_for_any_number_of_requests(count: int) -> None:
    seen = [UserRequest(at=BEGAN + n, ms=0.0 if n else 1e6, ok=bool(n % 3), release=HOSTILE) for n in range(count)]
    kinds = {
        element.tag.removeprefix(NAMESPACE)
        for element in parsed(user_traffic.plot(traffic(requests={"web": seen}, shifts=[]), "web")).iter()
    }
    assert kinds <= {"svg", "g", "title", "text", "rect", "path"}


def test_the_strip_gives_each_moment_away_once() -> None:
    both = sorted(requests("v1", 0, 10) + requests("v2", 0, 10), key=lambda request: request.at)
    bars = list(parsed(user_traffic.plot(traffic(requests={"web": both}, shifts=[]), "web")).iter(f"{NAMESPACE}rect"))
    heights: dict[str, float] = {}
    for bar in bars:
        heights[bar.get("x", "")] = heights.get(bar.get("x", ""), 0) + float(bar.get("height", 0))
    assert len(heights) == len(both) // user_traffic.REQUESTS_IN_A_BIN
    assert all(height == pytest.approx(user_traffic.STRIP, abs=0.2) for height in heights.values())


def test_figures_are_of_good_answers_and_by_nearest_rank() -> None:
    seen = [replace(request, ms=float(ms)) for ms, request in enumerate(requests("v1", 0, 10), start=1)]
    slow_failure = replace(requests("HTTP 500", 0, 1, ok=False)[0], ms=9999.0)
    found = user_traffic.figures([*seen, slow_failure])
    assert found.pop("per_second") == pytest.approx(101 / 9.9)
    assert found == {"sent": 101, "failed": 1, "median": 50, "p95": 95, "p99": 99, "slowest": 100}
    assert user_traffic.reasons([*seen, slow_failure]) == {"HTTP 500": 1}
    assert user_traffic.figures([]) == {
        "sent": 0,
        "failed": 0,
        "per_second": 0,
        "median": 0,
        "p95": 0,
        "p99": 0,
        "slowest": 0,
    }
