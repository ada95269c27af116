"""The live view, as the lines it would draw."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console, RenderableType

from rehearsal.execution.live_view import LiveView
from rehearsal.execution.progress import Chapter, Screen
from rehearsal.scenario.event_log import Diary, Entry

NOW = 1000.0


def drawn(picture: RenderableType, width: int = 100) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(picture)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def screen(**more: Any) -> Screen:
    chapters = [Chapter(name=title.lower(), title=title) for title in ("First", "Second", "Third")]
    return Screen(chapters=chapters, began=NOW - 83, clock=lambda: NOW, **more)


def run(**more: Any) -> dict[str, Any]:
    jobs = [
        {"name": "Plan", "conclusion": "success", "started": NOW - 60},
        {"name": "Deploy backend", "conclusion": "in_progress", "started": NOW - 4.2},
        {"name": "Shift traffic", "conclusion": "queued", "started": 0.0},
    ]
    shown = {"workflow": "Deploy", "title": "v1.0.1", "conclusion": "in_progress", "waits_for": [], "jobs": jobs}
    return shown | more


def entry(kind: str = "act", text: str = "pushes", **more: Any) -> Entry:
    given: dict[str, Any] = {"kind": kind, "text": text, "who": "dev-1", "started": NOW - 3, "ended": NOW - 1}
    return Entry(**(given | more))


def telling(**more: Any) -> tuple[Screen, Chapter]:
    """A screen whose first story is being told."""
    view = screen()
    view.begins("first")
    chapter = view.chapter("first")
    for name, value in more.items():
        setattr(chapter, name, value)
    return view, chapter


def test_before_a_story_is_told_it_says_what_goes_on() -> None:
    view = screen()
    view.chapter("first").phase = "starting its world"
    assert drawn(view.picture())[:3] == [
        "0 of 3 stories told  1:23",
        "  · First  starting its world",
        "  · Second",
    ]


def test_stories_their_steps_the_jobs_and_the_count() -> None:
    view = screen()
    view.begins("first")
    view.ends("first", 42.0, passed=True)
    view.begins("second")
    second = view.chapter("second")
    second.started, second.runs = NOW - 9, [run()]
    second.entry(entry())
    second.entry(entry("wait", "run 1002", who="", started=NOW - 7, ended=0.0))
    assert drawn(view.picture()) == [
        "1 of 3 stories told  1:23",
        "  ✓ First  42 s",
        "  ▸ Second  9 s",
        "  · Third",
        "",
        "    ▸ dev-1: pushes  2.0 s",
        "    ⟳ waits for run 1002  7.0 s",
        "      Deploy  v1.0.1",
        "        ● Deploy backend  4.2 s",
    ]


def test_two_at_once_are_told_apart_and_share_the_room() -> None:
    view = screen()
    for name in ("first", "third"):
        view.begins(name)
        for number in range(20):
            view.chapter(name).entry(entry(text=f"{name} {number}"))
    lines = drawn(view.picture(20))
    assert len(lines) <= 20
    first, third = lines.index("  first"), lines.index("  third")
    assert lines[third - 1] == "    ▸ dev-1: first 19  2.0 s"
    assert all("third" in line for line in lines[third:])
    assert all("first" in line for line in lines[first:third])
    assert len(drawn(view.picture(8))) <= 8


def test_it_says_whom_a_run_waits_for() -> None:
    waiting = run(
        conclusion="waiting",
        waits_for=[{"environment": "production-approval", "reviewers": ["release-manager", "on-call"]}],
        jobs=[{"name": "Approval", "conclusion": "waiting", "started": 0.0}],
    )
    queued = run(title="v1.0.2", conclusion="pending", jobs=[{"name": "Lock", "conclusion": "pending", "started": 0.0}])
    shown = "\n".join(drawn(telling(runs=[waiting, queued])[0].picture()))
    assert "◌ production-approval waits for release-manager or on-call" in shown
    assert "◌ Lock waits for another run" in shown


def test_runs_that_ended_or_have_nothing_to_show_are_left_out() -> None:
    quiet = [run(conclusion="success", title="over"), run(jobs=[], title="not begun")]
    shown = "\n".join(drawn(telling(runs=quiet)[0].picture()))
    assert "over" not in shown
    assert "not begun" not in shown


def test_it_fits_a_small_terminal_with_the_stories_in_sight() -> None:
    jobs = [{"name": f"job {n}", "conclusion": "in_progress", "started": NOW} for n in range(50)]
    view, chapter = telling(runs=[run(jobs=jobs)])
    for number in range(30):
        chapter.entry(entry(text=f"step {number}"))
    for height in (8, 12, 24):
        lines = drawn(view.picture(height))
        assert len(lines) <= height
        assert lines[1].startswith("  ▸ First")


def test_the_latest_steps_stay_and_what_is_innermost_is_shown() -> None:
    view, chapter = telling()
    outer, inner = entry("proof", "outer", ended=0.0), entry("act", "inner", ended=0.0)
    for one in (*(entry(text=f"step {n}") for n in range(20)), outer, inner):
        chapter.entry(one)
    shown = "\n".join(drawn(view.picture()))
    assert "step 19" in shown
    assert "step 11" not in shown
    assert "inner" in shown
    assert "outer" not in shown
    inner.ended = NOW
    chapter.entry(inner)
    assert "⟳ dev-1: outer" in "\n".join(drawn(view.picture()))


def test_text_from_outside_cannot_move_the_cursor_or_wrap() -> None:
    view, chapter = telling(runs=[run(title="a\x1b[2Jb\r\n" + "long " * 100)])
    chapter.entry(entry(text="x\x1b]0;title\x07\n" + "y" * 500))
    lines = drawn(view.picture(), width=80)
    assert all(len(line) <= 80 and line.isprintable() for line in lines)


def chapters(*names: str) -> list[Chapter]:
    return [Chapter(name=name, title=name.title()) for name in names]


def live(*names: str) -> tuple[LiveView, io.StringIO]:
    out = io.StringIO()
    return LiveView(chapters(*names), console=Console(file=out, width=100, force_terminal=False)), out


def test_without_a_terminal_each_step_is_a_line_with_its_story_when_it_is_over() -> None:
    view, out = live("first", "second")
    diary = Diary(
        story="first", listener=lambda told: view.entry("first", told), clock=iter([1.0, 3.0, 3.0, 3.0]).__next__
    )
    with view:
        view.begins("first")
        view.begins("second")
        diary.note("act", "pushes", who="dev-1")
        diary.note("users", "what users saw", sights={})
        view.ends("first", "", 12.34)
    assert out.getvalue().splitlines() == [
        "first   First",
        "second  Second",
        "first   ▸ dev-1: pushes  2.0 s",
        "first   passed in 12.3 s",
    ]


def test_without_a_terminal_a_failure_is_printed_where_it_happens() -> None:
    view, out = live("first")
    with view:
        view.begins("first")
        view.ends("first", "it is [bold]not[/bold] so\n--- Tests\n\x1b[31mE assert", 3.0)
    assert out.getvalue().splitlines()[1:] == [
        "first  ✗ failed after 3.0 s",
        "it is [bold]not[/bold] so",
        "--- Tests",
        "[31mE assert",
    ]


def test_a_terminal_keeps_the_outcomes_and_the_failures() -> None:
    out = io.StringIO()
    view = LiveView(
        chapters("first", "second"),
        console=Console(file=out, width=100, height=30, force_terminal=True, color_system=None),
    )
    with view:
        view.begins("first")
        view.ends("first", "", 5.0)
        view.begins("second")
        view.ends("second", "it is not so", 7.0)
    left = out.getvalue().rpartition("✓ First")[2]
    assert "✗ Second  7 s" in left
    assert left.index("✗ Second") < left.index("it is not so")


def test_standard_output_stays_clean_for_json(capsys: Any) -> None:
    with LiveView(chapters("first"), on_stderr=True) as view:
        view.begins("first")
        view.ends("first", "broken", 1.0)
    said = capsys.readouterr()
    assert said.out == ""
    assert "broken" in said.err
