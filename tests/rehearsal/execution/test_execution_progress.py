"""The live view, as the lines it would draw."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console, RenderableType

from rehearsal.execution.live_view import LiveView
from rehearsal.execution.progress import Progress, StoryProgress
from rehearsal.scenario.event_log import EventLog, LoggedEvent

NOW = 1000.0


def drawn(render: RenderableType, width: int = 100) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(render)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def progress(**more: Any) -> Progress:
    stories = [StoryProgress(name=title.lower(), title=title) for title in ("First", "Second", "Third")]
    return Progress(stories=stories, started=NOW - 83, clock=lambda: NOW, **more)


def run(**more: Any) -> dict[str, Any]:
    jobs = [
        {"name": "Plan", "conclusion": "success", "started": NOW - 60},
        {"name": "Deploy backend", "conclusion": "in_progress", "started": NOW - 4.2},
        {"name": "Shift traffic", "conclusion": "queued", "started": 0.0},
    ]
    shown = {"workflow": "Deploy", "title": "v1.0.1", "conclusion": "in_progress", "waits_for": [], "jobs": jobs}
    return shown | more


def event(kind: str = "action", text: str = "pushes", **more: Any) -> LoggedEvent:
    given: dict[str, Any] = {"kind": kind, "text": text, "user": "dev-1", "started": NOW - 3, "ended": NOW - 1}
    return LoggedEvent(**(given | more))


def running(**more: Any) -> tuple[Progress, StoryProgress]:
    """The progress while the first story runs."""
    view = progress()
    view.story_started("first")
    story = view.story("first")
    for name, value in more.items():
        setattr(story, name, value)
    return view, story


def test_before_a_story_runs_it_shows_what_goes_on() -> None:
    view = progress()
    view.story("first").phase = "starting its world"
    assert drawn(view.render())[:3] == [
        "0 of 3 stories done  1:23",
        "  · First  starting its world",
        "  · Second",
    ]


def test_stories_their_steps_the_jobs_and_the_count() -> None:
    view = progress()
    view.story_started("first")
    view.story_ended("first", 42.0, passed=True)
    view.story_started("second")
    second = view.story("second")
    second.started, second.runs = NOW - 9, [run()]
    second.event(event())
    second.event(event("wait", "run 1002", user="", started=NOW - 7, ended=0.0))
    assert drawn(view.render()) == [
        "1 of 3 stories done  1:23",
        "  ✓ First  42 s",
        "  ▸ Second  9 s",
        "  · Third",
        "",
        "    ▸ dev-1: pushes  2.0 s",
        "    ⟳ waits for run 1002  7.0 s",
        "      Deploy  v1.0.1",
        "        ● Deploy backend  4.2 s",
    ]


def test_two_at_once_are_named_and_share_the_room() -> None:
    view = progress()
    for name in ("first", "third"):
        view.story_started(name)
        for number in range(20):
            view.story(name).event(event(text=f"{name} {number}"))
    lines = drawn(view.render(20))
    assert len(lines) <= 20
    first, third = lines.index("  first"), lines.index("  third")
    assert lines[third - 1] == "    ▸ dev-1: first 19  2.0 s"
    assert all("third" in line for line in lines[third:])
    assert all("first" in line for line in lines[first:third])
    assert len(drawn(view.render(8))) <= 8


def test_it_says_whom_a_run_waits_for() -> None:
    waiting = run(
        conclusion="waiting",
        waits_for=[{"environment": "production-approval", "reviewers": ["release-manager", "on-call"]}],
        jobs=[{"name": "Approval", "conclusion": "waiting", "started": 0.0}],
    )
    queued = run(title="v1.0.2", conclusion="pending", jobs=[{"name": "Lock", "conclusion": "pending", "started": 0.0}])
    shown = "\n".join(drawn(running(runs=[waiting, queued])[0].render()))
    assert "◌ production-approval waits for release-manager or on-call" in shown
    assert "◌ Lock waits for another run" in shown


def test_runs_that_ended_or_have_nothing_to_show_are_left_out() -> None:
    quiet = [run(conclusion="success", title="over"), run(jobs=[], title="not begun")]
    shown = "\n".join(drawn(running(runs=quiet)[0].render()))
    assert "over" not in shown
    assert "not begun" not in shown


def test_it_fits_a_small_terminal_with_the_stories_in_sight() -> None:
    jobs = [{"name": f"job {n}", "conclusion": "in_progress", "started": NOW} for n in range(50)]
    view, story = running(runs=[run(jobs=jobs)])
    for number in range(30):
        story.event(event(text=f"step {number}"))
    for height in (8, 12, 24):
        lines = drawn(view.render(height))
        assert len(lines) <= height
        assert lines[1].startswith("  ▸ First")


def test_the_latest_steps_stay_and_what_is_innermost_is_shown() -> None:
    view, story = running()
    outer, inner = event("assertion", "outer", ended=0.0), event("act", "inner", ended=0.0)
    for one in (*(event(text=f"step {n}") for n in range(20)), outer, inner):
        story.event(one)
    shown = "\n".join(drawn(view.render()))
    assert "step 19" in shown
    assert "step 11" not in shown
    assert "inner" in shown
    assert "outer" not in shown
    inner.ended = NOW
    story.event(inner)
    assert "⟳ dev-1: outer" in "\n".join(drawn(view.render()))


def test_text_from_outside_cannot_move_the_cursor_or_wrap() -> None:
    view, story = running(runs=[run(title="a\x1b[2Jb\r\n" + "long " * 100)])
    story.event(event(text="x\x1b]0;title\x07\n" + "y" * 500))
    lines = drawn(view.render(), width=80)
    assert all(len(line) <= 80 and line.isprintable() for line in lines)


def stories(*names: str) -> list[StoryProgress]:
    return [StoryProgress(name=name, title=name.title()) for name in names]


def live(*names: str) -> tuple[LiveView, io.StringIO]:
    out = io.StringIO()
    return LiveView(stories(*names), console=Console(file=out, width=100, force_terminal=False)), out


def test_without_a_terminal_each_step_is_a_line_with_its_story_when_it_is_over() -> None:
    view, out = live("first", "second")
    log = EventLog(
        story="first", listener=lambda event: view.event("first", event), clock=iter([1.0, 3.0, 3.0, 3.0]).__next__
    )
    with view:
        view.story_started("first")
        view.story_started("second")
        log.add("action", "pushes", user="dev-1")
        log.add("traffic", "requests of users", requests={})
        view.story_ended("first", "", 12.34)
    assert out.getvalue().splitlines() == [
        "first   First",
        "second  Second",
        "first   ▸ dev-1: pushes  2.0 s",
        "first   passed in 12.3 s",
    ]


def test_without_a_terminal_a_failure_is_printed_where_it_happens() -> None:
    view, out = live("first")
    with view:
        view.story_started("first")
        view.story_ended("first", "it is [bold]not[/bold] so\n--- Tests\n\x1b[31mE assert", 3.0)
    assert out.getvalue().splitlines()[1:] == [
        "first  ✗ failed after 3.0 s",
        "it is [bold]not[/bold] so",
        "--- Tests",
        "[31mE assert",
    ]


def test_a_terminal_keeps_the_outcomes_and_the_failures() -> None:
    out = io.StringIO()
    view = LiveView(
        stories("first", "second"),
        console=Console(file=out, width=100, height=30, force_terminal=True, color_system=None),
    )
    with view:
        view.story_started("first")
        view.story_ended("first", "", 5.0)
        view.story_started("second")
        view.story_ended("second", "it is not so", 7.0)
    left = out.getvalue().rpartition("✓ First")[2]
    assert "✗ Second  7 s" in left
    assert left.index("✗ Second") < left.index("it is not so")


def test_standard_output_stays_clean_for_json(capsys: Any) -> None:
    with LiveView(stories("first"), on_stderr=True) as view:
        view.story_started("first")
        view.story_ended("first", "broken", 1.0)
    text = capsys.readouterr()
    assert text.out == ""
    assert "broken" in text.err
