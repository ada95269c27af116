"""Logs: groups, levels, colours, and what hostile output becomes."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from rehearsal.github.pages import ansi
from rehearsal.github.runs.pages import logs
from rehearsal.github.runs.pages.logs import LogGroup, LogLine
from rehearsal.runner.model import Step

STAMP = "2026-11-22T18:00:03.1234560Z"


def read(*lines: str) -> logs.StepLog:
    return logs.read(Step(number=1, name="x", log=[f"{STAMP} {line}" for line in lines]))


def test_a_line_is_shown_without_its_stamp_which_is_kept() -> None:
    (line,) = read("hello").parts
    assert isinstance(line, LogLine)
    assert (line.number, line.at, line.html) == (1, "18:00:03", "hello")


def test_groups_fold_the_lines_under_them() -> None:
    _, group, after = read("a", "##[group]Run it", "b", "c", "##[endgroup]", "d").parts
    assert isinstance(group, LogGroup)
    assert isinstance(after, LogLine)
    assert group.title.html == "Run it"
    assert [line.html for line in group.lines] == ["b", "c"]
    assert [line.number for line in group.lines] == [3, 4]
    assert after.number == 6
    assert not group.troubled


def test_a_group_that_is_never_closed_ends_with_the_next() -> None:
    first, second = read("##[group]one", "a", "##[group]two", "b").parts
    assert isinstance(first, LogGroup)
    assert isinstance(second, LogGroup)
    assert [len(first.lines), len(second.lines)] == [1, 1]


def test_a_group_with_an_error_in_it_wants_to_be_seen() -> None:
    (group,) = read("##[group]one", "##[error]bad").parts
    assert isinstance(group, LogGroup)
    assert group.troubled


def test_levels_are_reported_in_words_too() -> None:
    found = read("##[error]a", "##[warning]b", "##[notice]c", "##[debug]d").parts
    assert [(part.tone, part.word) for part in found if isinstance(part, LogLine)] == [
        ("bad", "Error: "),
        ("wait", "Warning: "),
        ("note", "Notice: "),
        ("faint", ""),
    ]


def test_only_the_end_of_a_huge_log_is_sent_and_numbers_stay_true() -> None:
    log = read(*(f"line {number}" for number in range(1, 5_001)))
    assert log.hidden == 4_000
    assert len(log.parts) == logs.MOST_LINES
    first = log.parts[0]
    assert isinstance(first, LogLine)
    assert (first.number, first.html) == (4_001, "line 4001")


def test_a_huge_line_is_cut() -> None:
    (line,) = read("x" * 1_000_000).parts
    assert isinstance(line, LogLine)
    assert len(line.html) < logs.MOST_CHARACTERS + 100
    assert "998000 more characters" in line.html


def test_a_line_without_a_stamp_is_shown_as_it_is() -> None:
    log = logs.read(Step(number=1, name="x", log=["no stamp", ""]))
    assert [part.html for part in log.parts if isinstance(part, LogLine)] == ["no stamp", ""]


def test_the_whole_log_is_everything_with_its_stamps() -> None:
    steps = [Step(number=1, name="a", log=["1", "2"]), Step(number=2, name="b"), Step(number=3, name="c", log=["3"])]
    assert "".join(logs.whole(steps)) == "1\n2\n3\n"


def test_colours_become_classes() -> None:
    assert ansi.render("\x1b[31mred\x1b[0m plain") == '<span class="c-red">red</span> plain'
    assert ansi.render("\x1b[1;92mboth\x1b[22m green\x1b[39m") == (
        '<span class="b c-green">both</span><span class="c-green"> green</span>'
    )
    assert ansi.render("\x1b[38;5;4mblue\x1b[38;5;200mother\x1b[m") == '<span class="c-blue">blue</span>other'
    assert ansi.render("\x1b[38;2;1;2;3mtrue\x1b[4mline") == 'true<span class="u">line</span>'


def test_other_control_sequences_are_left_out() -> None:
    assert (
        ansi.plain("\x1b[2K\x1b[1Ga\x1b]0;title\x07b\x1b]8;;https://x.example\x1b\\c\x1b7d\x08\x00e\x9bf") == "abcdef"
    )
    assert ansi.plain("a\x1b]never ends") == "a"
    assert ansi.plain("a\x1b") == "a"


def test_hostile_output_is_text() -> None:
    html = ansi.render('<script>alert(1)</script>\x1b[31m<img src=x onerror="alert(2)">\x1b[0m &amp;')
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
    assert "&amp;amp;" in html


def test_addresses_in_logs_are_links() -> None:
    assert '<a href="https://api.example/x"' in ansi.render("see https://api.example/x, please")
    assert "<a" not in ansi.render("javascript:alert(1)")


@given(st.text(alphabet=st.sampled_from("\x1b[]m0138;5:<>\"'&a\x07\\\x9b\n")))
def test_no_line_makes_any_element_but_spans_and_links(text: str) -> None:
    html = str(ansi.render(text))
    assert re.sub(r'</?span( class="[a-z -]*")?>', "", html).count("<") == 0
    assert html.count("<span") == html.count("</span>")
    assert "\x1b" not in html
