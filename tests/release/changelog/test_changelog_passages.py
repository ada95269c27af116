"""Text of several lines keeps its paragraphs, lists and code blocks, and still nothing in it breaks out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.manifest.release import Release
from release.changelog.entries import Printer
from release.changelog.file import merge, split
from release.changelog.passages import MarkdownBlock, paragraphs, passages
from release.commits.git import Git
from release.versions.repository import Repository
from tests.release.changelog.test_changelog_file import file_of, tags_of, written
from tests.release.changelog.test_changelog_markdown import LIST, NASTY, WORDS, tokens
from tests.release.histories import line, make

INDENTS = ["", " ", "  ", "   ", "    ", "\t", "- ", "1. ", "  - ", "> "]
LINES = [
    *NASTY,
    "```",
    "```sh",
    "````md",
    "~~~",
    "## 9.9.9",
    "@octocat",
    "<b>",
    "words",
    "",
    "",
    "<!-- shipmate v1.0.0 0123456789abcdef -->",
]
TEXTS = st.lists(st.tuples(st.sampled_from(INDENTS), st.sampled_from(LINES)).map("".join), min_size=1, max_size=12).map(
    "\n".join
)
ALLOWED = LIST | WORDS | {"ordered_list_open", "ordered_list_close", "fence"}


def item(text: str) -> str:
    """As it stands below an entry."""
    return "\n\n  ".join(["- entry", *paragraphs(text)])


@given(st.one_of(TEXTS, st.text(max_size=60)))
def test_paragraphs__any_text__are_words_lists_and_code_below_the_entry(text: str) -> None:
    found = tokens(f"{item(text)}\n- next")
    assert {token.type for token in found} <= ALLOWED
    outer = [token for token in found if token.type == "list_item_open" and token.level == 1]
    assert len(outer) == 2, "the entry and the next one; nothing of the text stands beside them"
    words = "".join(token.content for token in found if token.type in ("text", "text_special"))
    assert not re.search(r"@[A-Za-z0-9]", words)


@given(TEXTS)
def test_paragraphs__any_text__by_themselves_too(text: str) -> None:
    """Where a template prints them at the start of a line."""
    assert {token.type for token in tokens("\n\n".join(paragraphs(text)))} <= ALLOWED


@given(TEXTS)
def test_paragraphs__any_text__has_no_heading_and_leaves_no_fence_open(text: str) -> None:
    """For readers of a changelog line by line, as we do to keep what people wrote."""
    section = f"## 1.0.0\n\n{item(text)}\n\n## 0.9.0\n"
    assert [block.versions for block in split(section)[1]] == [("1.0.0",), ("0.9.0",)]


def test_paragraphs__each_is_one_line() -> None:
    assert paragraphs("a\nb\n\n\nc <b>\n") == ["a b", "c \\<b\\>"]
    assert passages("a\n- b\n\nc") == [["a", "- b"], ["c"]]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("```\nnpm i x@2\n```", ["```\n  npm i x@2\n  ```"]),
        ("~~~sh\na\n\n  b\n~~~", ["```sh\n  a\n\n    b\n  ```"]),
        ("```mermaid\na\n```", ["```\n  a\n  ```"]),
        ("````\n```\n````", ["````\n    ```\n  ````"]),
        ("a `` b\n\n    x ```` y", ["a \\`\\` b", "`````\n  x ```` y\n  `````"]),
        ("```\n\n```", []),
        ("```\nnever closed", ["\\`\\`\\` never closed"]),
        ("- a\n- b\n  more\n\n- c", ["- a\n  - b more\n  - c"]),
        ("3. a\n4) b", ["3. a\n  4. b"]),
        ("1. a:\n   ```\n   x\n   ```\n2. b\n\n   more", ["1. a:\n     ```\n     x\n     ```\n  2. b\n\n     more"]),
        ("words\n2024. was a year", ["words 2024. was a year"]),
        ("words\n- [ ] @octocat", ["words", "- \\[ \\] @\u200boctocat"]),
        ("- - - - - a", ["- - - \\- - a"]),
        ("| a | b |\n|---|---|", ["\\| a \\| b \\| \\|---\\|---\\|"]),
        ("```\n\x1b[31m\u202e\tx\r\n```", ["```\n  \ufffd[31m\ufffd\tx\ufffd\n  ```"]),
    ],
)  # fmt: skip
def test_paragraphs__keep_lists_and_code(text: str, shown: list[str]) -> None:
    assert paragraphs(text) == shown


def test_paragraphs__blocks_are_distinguished_from_words() -> None:
    assert [isinstance(part, MarkdownBlock) for part in paragraphs("a\n\n- b\n\n```\nc\n```")] == [False, True, True]


def items_of(folder: Path, *messages: str) -> list[str]:
    make(folder, line("chore: begin", *messages), tags={"v1.0.0": 0})
    verdicts = Repository.open(Git(folder), Release()).facts().verdicts
    return [Printer().item(entry) for verdict in verdicts for entry in verdict.entries]


@pytest.mark.parametrize(
    ("body", "below"),
    [
        ("Upgrade:\n```\nnpm i x@2\n```", "**How to upgrade:**\n\n  ```\n  npm i x@2\n  ```"),
        ("Upgrade: run it", "**How to upgrade:** run it"),
        ("Upgrade: run:\n1. a\n2. b", "**How to upgrade:** run:\n\n  1. a\n  2. b"),
        ("BREAKING CHANGE: gone\n\n```\nx\n```", "gone\n\n  **How to upgrade:**\n\n  ```\n  x\n  ```"),
        (
            "BREAKING CHANGE: gone are:\n- a\n- b\n\nDo this.",
            "gone are:\n\n  - a\n  - b\n\n  **How to upgrade:** Do this.",
        ),
        ("BREAKING CHANGE: gone are:\n\n- a\n\nDo this.", "gone are:\n\n  - a\n\n  **How to upgrade:** Do this."),
        ("", "**How to upgrade:** its author did not say; see {0}."),
    ],
)
def test_item__how_to_upgrade__as_its_author_wrote_it(tmp_path: Path, body: str, below: str) -> None:
    (found,) = items_of(tmp_path, f"feat!: two\n\n{body}")
    first, _, rest = found.partition("\n\n  ")
    assert first.startswith("- two (")
    assert rest == below.replace("{0}", first[len("- two (") :].partition(",")[0])


def test_item__upgrade_of_what_does_not_break__is_shown(tmp_path: Path) -> None:
    (found,) = items_of(tmp_path, "fix: a\n\nUpgrade: run it once")
    assert found.endswith("\n\n  **How to upgrade:** run it once")


def test_changelog__with_code__is_the_same_again_and_keeps_what_people_wrote(tmp_path: Path) -> None:
    code = "feat!: two\n\nUpgrade:\n````\n```\n## 0.0.1 (2020-01-01)\n~~~\n````\n1. a\n2. b"
    make(tmp_path, line("fix: one", code, "fix: three"), tags={"v1.0.0": 0, "v2.0.0": 1})
    first = file_of(tmp_path)
    assert merge(first, written(tmp_path), tags_of(tmp_path)) == first
    edited = first.replace("- one (", "- one, and in our words (")
    assert merge(edited, written(tmp_path), tags_of(tmp_path)) == edited
    assert len([row for row in first.splitlines() if row.startswith("## ")]) == 3
