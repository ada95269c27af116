"""Text from outside is text: whatever it holds, a Markdown renderer finds nothing in it but words and code."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from release.changelog.markdown import NO_MENTION, Safe, cell, code, escape, finalize

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
NASTY = [
    "@octocat and @techmate/team",
    "<img src=x onerror=alert(1)> <!-- hide",
    "![x](https://example.com/x.png) [click](https://example.com)",
    "https://example.com www.example.com mail@example.com",
    "```\nfence",
    "~~~",
    "a | b | c",
    "# heading",
    "- item",
    "1. item",
    "1) item",
    "> quote",
    "=====",
    "- [ ] task",
    "*em* **strong** _em_ __strong__ ~~gone~~",
    "&lt;b&gt; &#64;octocat",
    "\\@octocat \\<b>",
    "`code` and `` ` `` and `unclosed",
    "`a|b` <b>",
    "\u202egnp.exe",
    "[x]: https://example.com",
    "[^1] $x$",
    "    indented",
    "\x1b[31mred\x07",
    "line\r\nbreak\n\nparagraph",
    "`<b>`@octocat`<i>`",
    "\\`x`<b>`",
]
PIECES = st.sampled_from(
    [*NASTY, "a", " ", "`", "``", "\\", "\n", "@", "<", ">", "[", "]", "(", ")", "!", "_", "*", "|", "~", "1."]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=8).map("".join))


def tokens(markdown: str) -> list[Token]:
    """Every token, those inside paragraphs and cells too."""
    found: list[Token] = []
    for token in RENDERER.parse(markdown):
        found += [token, *(token.children or [])]
    return found


def kinds(markdown: str) -> set[str]:
    return {token.type for token in tokens(markdown)}


LIST = {
    "bullet_list_open",
    "bullet_list_close",
    "list_item_open",
    "list_item_close",
    "paragraph_open",
    "paragraph_close",
}
WORDS = {"inline", "text", "code_inline", "text_special"}


@given(TEXTS)
@example(" #")
@example("`\\`")
@example("a`b``c`d")
def test_escape__any_text__is_words_and_code_only(text: str) -> None:
    assert kinds(f"- x {escape(text)} (y)") <= LIST | WORDS
    assert kinds(f"- {escape(text)}") <= LIST | WORDS


@pytest.mark.parametrize("text", NASTY)
def test_escape__nasty__is_words_and_code_only(text: str) -> None:
    shown = escape(text)
    assert kinds(f"- {shown}") <= LIST | WORDS
    assert "\n" not in shown


@given(TEXTS)
def test_escape__any_text__mentions_nobody_and_links_nowhere(text: str) -> None:
    """GitHub looks for mentions and addresses in what was rendered; code is left alone there."""
    words = "".join(token.content for token in tokens(f"- x {escape(text)}") if token.type in ("text", "text_special"))
    assert not re.search(r"@[A-Za-z0-9]", words)
    assert not re.search(r"[A-Za-z0-9_.-]#[0-9]", words)
    bare = re.sub(r"\\.|`[^`]*`", "", escape(text))  # without what is escaped, and without code
    assert "://" not in bare
    assert "www." not in bare


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="\ufeff"), max_size=60))
def test_escape__shows_what_was_written(text: str) -> None:
    """Nothing is lost: what is rendered is the text, its spaces run together."""
    parts = [
        token.content for token in tokens(f"- x{escape(text)}") if token.type in ("text", "text_special", "code_inline")
    ]
    expected = re.sub(r"\s+", " ", text) if re.search(r"\s\s|[\t\n\r]", text) else text
    assert "".join(parts).replace(NO_MENTION, "")[1:].strip() == expected.replace("`", "").strip() or "`" in text


def test_escape__control_and_direction_characters__are_shown_as_odd() -> None:
    assert escape("a\u202eb\x1bc\u200bd") == "a\ufffdb\ufffdc\ufffdd"


def test_escape__ordinary_text__stays_readable() -> None:
    text = "Keep snake_case, `code(x)` and 3.5 > 2 (#12)"
    assert escape(text) == "Keep snake_case, `code(x)` and 3.5 \\> 2 (#12)"


def test_escape__another_repositorys_issue__is_no_reference() -> None:
    assert (
        escape("as torvalds/linux#1 and user#2, not #3")
        == f"as torvalds/linux#{NO_MENTION}1 and user#{NO_MENTION}2, not #3"
    )


def test_escape__package_names__keep_their_look() -> None:
    assert escape("bump @types/node").replace(NO_MENTION, "") == "bump @types/node"


@given(TEXTS)
def test_cell__any_text__stays_in_its_cell(text: str) -> None:
    rows = [
        token
        for token in tokens(f"| a | b |\n|---|---|\n| {cell(text) or 'x'} | {code(text)} |")
        if token.type == "td_open"
    ]
    assert len(rows) == 2


@given(TEXTS.filter(lambda text: text.strip() != ""))
def test_code__any_text__is_one_code_span(text: str) -> None:
    found = [token for token in tokens(f"- x {code(text)}") if token.type == "code_inline"]
    assert len(found) == 1
    assert kinds(f"- x {code(text)}") <= LIST | WORDS


def test_finalize__escapes_what_is_not_ours() -> None:
    assert finalize("<b>") == "\\<b\\>"
    assert finalize(Safe("<b>")) == "<b>"
    assert finalize(None) == ""
    assert finalize(7) == "7"
