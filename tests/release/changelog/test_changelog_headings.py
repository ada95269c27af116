"""Changelogs of many years: every style of heading is found, nothing is written twice, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.changelog.file import merge, split
from release.changelog.headings import section_headings
from tests.release.changelog.test_changelog_file import tags_of, written
from tests.release.histories import Planned, git, line, make


def versions(text: str) -> list[tuple[str, ...]]:
    return [section.versions for section in split(text)[1]]


@pytest.mark.parametrize(
    "heading",
    [
        "# 1.0.1",
        "## 1.0.1",
        "## v1.0.1 - yesterday",
        "## [1.0.1](https://github.com/techmate/platform/compare/v1.0.0...v1.0.1) (2023-11-14)",
        "### [1.0.1](https://github.com/techmate/platform/compare/v1.0.0...v1.0.1) (2023-11-14)",
        "### [1.0.1] - 2023-11-14",
        "### 1.0.1 / 2023-11-14",
        "### 2023-11-14, Version 1.0.1",
        "#### Release v1.0.1",
        "### **1.0.1** (2023-11-14)",
        "### 1.0.1 November 14, 2023",
        "## 2023-11-14 Version 1.0.1 (Stable)",
        "## platform 1.0.1",
        "1.0.1 / 2023-11-14\n==================",
        "v1.0.1\n------",
        '<a name="1.0.1"></a>\n## 1.0.1',
        '<a id="v1.0.1"></a>\n# [1.0.1](x)',
    ],
)
def test_heading__of_a_version__is_a_section_and_kept(tmp_path: Path, heading: str) -> None:
    make(tmp_path, line("feat: a", "fix: b"), tags={"v1.0.0": 0, "v1.0.1": 1})
    own = f"# Changelog\n\n{heading}\n\n* fixed\n\n## 1.0.0\n\n* all\n"
    assert versions(own) == [("1.0.1",), ("1.0.0",)]
    assert merge(own, written(tmp_path), tags_of(tmp_path)) == own


@pytest.mark.parametrize(
    "text",
    [
        "### Upgrading from 0.9.0 to 1.0.0",
        "### Support for TLS 1.3",
        "### 1.0.1 is broken, see below",
        "### Fixes",
        "#### 10.0.0.1 is an address",
        "```\n### 1.0.1\n```",
        "````\n```\n## 1.0.1\n````",
        "<!--\n## 1.0.1\n-->",
        "long\n1.0.1\n-----",
    ],
)
def test_heading__below_a_version__is_its_text(text: str) -> None:
    own = f"## 1.0.0\n\nall\n\n{text}\n\nend\n"
    assert versions(own) == [("1.0.0",)]


def test_heading__patches_a_level_below__as_common_tools_write_them(tmp_path: Path) -> None:
    """The groups of a patch are on its own level."""
    make(tmp_path, line("feat: a", "fix: b", "feat: c"), tags={"v1.0.0": 0, "v1.0.1": 1})
    own = "# Changelog\n\n### [1.0.1](x) (2023-11-14)\n\n\n### Bug Fixes\n\n* b\n\n## 1.0.0 (2023-11-13)\n\n\n### Features\n\n* a\n"
    text = merge(own, written(tmp_path), tags_of(tmp_path))
    assert text.endswith(own.removeprefix("# Changelog\n\n"))
    assert text.count("1.0.1") == own.count("1.0.1") + 1, "and once in the comparison of what is prepared"
    assert merge(text, written(tmp_path), tags_of(tmp_path)) == text


def test_heading__groups_a_level_below_level_one__belong_to_their_version(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "fix: b", "fix: c"), tags={"v1.0.0": 0, "v1.0.1": 1, "v1.0.2": 2})
    own = "# 1.0.2\n\n## Fixes\n\n* c\n\n# 1.0.0\n\n## Features\n\n* a\n"
    text = merge(own, written(tmp_path), tags_of(tmp_path))
    newest, _, rest = text.partition("## [1.0.1]")
    assert newest == "# 1.0.2\n\n## Fixes\n\n* c\n\n"
    assert rest.endswith("# 1.0.0\n\n## Features\n\n* a\n")


def test_heading__short_and_joint_numbers() -> None:
    own = "## 2.0\n\n## 1.0.2, 1.0.1\n\n## v1.0.0 and v0.9.0 (both)\n\n## 0.8.0 (replaces 0.7.0)\n"
    assert versions(own) == [("2.0.0",), ("1.0.2", "1.0.1"), ("1.0.0", "0.9.0"), ("0.8.0",)]


def test_heading__an_anchor_goes_with_its_section(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "fix: b"), tags={"v1.0.0": 0})
    own = '# Changelog\n\n<a name="1.0.0"></a>\n## 1.0.0\n\n* all\n'
    text = merge(own, written(tmp_path), tags_of(tmp_path))
    assert text.endswith('\n\n<a name="1.0.0"></a>\n## 1.0.0\n\n* all\n')
    assert text.startswith("# Changelog\n\n## [1.0.1]")


def test_heading__in_a_code_block_that_never_ends__is_still_one(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "fix: b"), tags={"v1.0.0": 0, "v1.0.1": 1})
    own = "## 1.0.1\n\n```\nrun it\n\n## 1.0.0\n\n* all\n"
    assert merge(own, written(tmp_path), tags_of(tmp_path)) == own


def spaced(text: str) -> str:
    """What a formatter makes of it."""
    rows = []
    for row in text.split("\n"):
        rows += [row, ""] if row.startswith(("#", "<!--")) else [row]
    return "\n".join(rows)


def test_formatter__prepared_section__is_still_the_one_that_was_generated(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "fix: b"), tags={"v1.0.0": 0})
    formatted = spaced(merge("", written(tmp_path), tags_of(tmp_path)))
    assert merge(formatted, written(tmp_path), tags_of(tmp_path)) == formatted, "nothing new, nothing changed"
    make(tmp_path, line("feat: a", "fix: b", "fix: c"), tags={"v1.0.0": 0})
    grown = merge(formatted, written(tmp_path), tags_of(tmp_path))
    assert grown != formatted
    make(tmp_path, line("feat: a", "fix: b", "fix: c", "feat: d"), tags={"v1.0.0": 0})
    again = merge(grown, written(tmp_path), tags_of(tmp_path))
    assert [row.split("]")[0] for row in again.split("\n") if row.startswith("## ")] == ["## [1.1.0", "## [1.0.0"]
    assert again.count("pending") == 1


def test_formatter__edited_section__keeps_its_words(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "fix: b"), tags={"v1.0.0": 0})
    formatted = spaced(merge("", written(tmp_path), tags_of(tmp_path)).replace("- b (", "- B, at last ("))
    make(tmp_path, line("feat: a", "fix: b", "feat: c"), tags={"v1.0.0": 0})
    text = merge(formatted, written(tmp_path), tags_of(tmp_path))
    assert "- B, at last (" in text
    assert "- c (" in text
    assert text.count("pending") == 1


def test_channel__of_a_maintenance_line__keeps_its_own_pre_releases(tmp_path: Path) -> None:
    """v2.0.0 is on main: it does not hold what the line prepares."""
    commits = [*line("chore: begin", "feat: b", "fix: c"), Planned("feat!: new", (0,), 1_700_000_900)]
    tags = {"v1.0.0": 0, "v1.1.0-rc.1": 1, "v2.0.0": 3}
    make(tmp_path, commits, tags=tags, head=3, branches={"release/1.x": 2})
    git(tmp_path, "checkout", "-q", "release/1.x")
    found = written(tmp_path, channel="rc")
    assert [each.marker.tag for each in found] == ["v1.1.0-rc.2", "v1.1.0-rc.1", "v1.0.0"]
    assert [len(each.keys) for each in found] == [1, 1, 0]


HEADINGS = st.sampled_from(
    [
        "# Log",
        "## 1.0.0",
        "### [1.0.1](x)",
        "## Unreleased",
        "text",
        "",
        "```",
        "<!--",
        "-->",
        "1.0.2\n===",
        "### Fixes",
        "* item",
    ]
)


@given(st.lists(HEADINGS, max_size=12))
def test_split__any_text__nothing_is_lost(rows: list[str]) -> None:
    text = "\n".join(rows)
    head, found = split(text)
    assert head + "".join(section.text for section in found) == text


def test_headings__many_rows_of_every_kind_that_looks_ahead__all_are_found() -> None:
    rows = ["<!--", "## 1.0.0", "](" * 50, '<a name="x"></a>', "1.0." * 50, "````"] * 5_000
    assert sum(1 for _ in section_headings(rows)) == 2_500, (
        "the fences close each other: every other one is in a code block"
    )
