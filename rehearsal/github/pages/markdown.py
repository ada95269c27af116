"""Markdown written by people and jobs, as HTML that cannot do harm."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

LONGEST = 400_000
"""Characters; what is longer is cut."""

_PLAIN_TAGS = frozenset({"details", "summary", "b", "i", "em", "strong", "sub", "sup", "kbd", "ins", "del", "code"})
"""Let through without attributes, and only closed where they were opened."""
_TAG = re.compile(r"<!--.*?-->|<(/?)([a-zA-Z]+)\s*(/?)>", re.DOTALL)
_ADDRESS = re.compile(r"https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}]")


def render(text: str | None) -> Markup:
    """HTML of a Markdown text (CommonMark, tables, strikethrough, bare addresses). Foreign HTML is shown as text,
    comments are left out, images become links: a page loads nothing from elsewhere."""
    source = text or ""
    if len(source) > LONGEST:
        source = f"{source[:LONGEST]}\n\n… {len(source) - LONGEST} more characters"
    env: dict[str, Any] = {"open": []}
    body = _PARSER.render(source, env)
    return Markup(body + "".join(f"</{tag}>" for tag in reversed(env["open"])))  # noqa: S704 - escaped by the renderer


class _Renderer(RendererHTML):
    """Foreign HTML and images, made harmless."""

    def html_block(
        self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        return _harmless(tokens[index].content, env)

    def html_inline(
        self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        return _harmless(tokens[index].content, env)

    def image(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        token = tokens[index]
        return _link(str(token.attrs.get("src", "")), token.content or "image")

    def text(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        content = tokens[index].content
        if any(token.type == "link_open" for token in tokens[:index]) and _inside_link(tokens, index):
            return str(escape(content))
        return linked(content)

    def link_open(
        self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        tokens[index].attrSet("rel", "nofollow noopener noreferrer")
        return self.renderToken(tokens, index, options, env)


def linked(text: str) -> str:
    """Escaped text in which bare web addresses are links."""
    parts: list[str] = []
    end = 0
    for match in _ADDRESS.finditer(text):
        parts += [str(escape(text[end : match.start()])), _link(match[0], match[0])]
        end = match.end()
    return "".join([*parts, str(escape(text[end:]))])


def _inside_link(tokens: Sequence[Token], index: int) -> bool:
    opened = sum(token.type == "link_open" for token in tokens[:index])
    return opened > sum(token.type == "link_close" for token in tokens[:index])


def _link(address: str, text: str) -> str:
    return f'<a href="{escape(address)}" rel="nofollow noopener noreferrer">{escape(text)}</a>'


def _harmless(html: str, env: MutableMapping[str, Any]) -> str:
    """A few plain tags, balanced over the whole text; everything else as text."""
    parts: list[str] = []
    end = 0
    for match in _TAG.finditer(html):
        parts += [str(escape(html[end : match.start()])), _tag(match, env["open"])]
        end = match.end()
    return "".join([*parts, str(escape(html[end:]))])


def _tag(match: re.Match[str], opened: list[str]) -> str:
    name = (match[2] or "").lower()
    if not name:
        return ""  # a comment
    if name in ("br", "hr"):
        return f"<{name}>"
    if name not in _PLAIN_TAGS or match[3]:
        return str(escape(match[0]))
    if not match[1]:
        opened.append(name)
        return f"<{name}>"
    if not opened or opened[-1] != name:
        return str(escape(match[0]))
    opened.pop()
    return f"</{name}>"


_PARSER = MarkdownIt("commonmark", {"html": True}, renderer_cls=_Renderer).enable(["table", "strikethrough"])
