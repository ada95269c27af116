"""Markdown written by users and jobs, as HTML that cannot do harm."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

from rehearsal.github.pages import links

LONGEST = 400_000
"""Characters; what is longer is cut."""

_PLAIN_TAGS = frozenset({"details", "summary", "b", "i", "em", "strong", "sub", "sup", "kbd", "ins", "del", "code"})
"""Let through without attributes, and only closed where they were opened."""
_TAG = re.compile(r"<!--.*?-->|<(/?)([a-zA-Z]+)\s*(/?)>", re.DOTALL)
_REFERENCES = re.compile(
    r"https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}]|(?<![\w/&])#(?P<number>\d{1,9})\b"
    r"|(?P<emoji>[✅🟢❌🔴🚫🚨⚠🟡⏳➖⏭📣🚀])\ufe0f?"
)
_EMOJI = {
    "✅": ("good", "check"),
    "🟢": ("good", "dot"),
    "❌": ("bad", "cross"),
    "🔴": ("bad", "dot"),
    "🚫": ("bad", "skip"),
    "🚨": ("bad", "bell"),
    "⚠": ("wait", "warn"),
    "🟡": ("wait", "dot"),
    "⏳": ("wait", "clock"),
    "➖": ("calm", "skip"),
    "⏭": ("calm", "skip"),
    "📣": ("busy", "bell"),
    "🚀": ("busy", "play"),
}
"""Those that reports are made of, drawn as the layout's own signs: many machines have no font with them."""
_TASK = re.compile(r"\[([ xX])\] ")
_REL = "nofollow noopener noreferrer"


def render(text: str | None, home: str = "", ref: str | None = None, path: str = "") -> Markup:
    """HTML of a Markdown text (CommonMark, tables, strikethrough, tasks, bare addresses, `#12` below `home`).

    `ref` and `path` are those of a file of the repository at `home`: what it links to relatively lies there, and its headings have
    anchors. Foreign HTML is shown as text, comments are left out, images become links: a page loads nothing from elsewhere.
    """
    source = text or ""
    if len(source) > LONGEST:
        source = f"{source[:LONGEST]}\n\n… {len(source) - LONGEST} more characters"
    place = links.Place(home=home, ref=ref, path=path) if ref is not None else None
    env: dict[str, Any] = {"open": [], "links": 0, "home": home, "place": place, "anchors": links.Anchors()}
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
        place: links.Place | None = env["place"]
        source = str(token.attrs.get("src", ""))
        return _link(place.resolve(source) if place else source, token.content or "image")

    def heading_open(
        self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        if env["place"] is not None:
            tokens[index].attrSet("id", env["anchors"].add(_words(tokens[index + 1])))
        return self.renderToken(tokens, index, options, env)

    def text(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        content = tokens[index].content
        if env["links"]:
            return str(escape(content))
        task = _TASK.match(content) if index == 0 else None
        if task is not None:
            sign, word = ("☑", "done") if task[1] != " " else ("☐", "to do")
            return f'<span role="img" aria-label="{word}">{sign}</span> {linked(content[task.end() :], env["home"])}'
        return linked(content, env["home"])

    def link_open(
        self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        env["links"] += 1
        tokens[index].attrSet("rel", _REL)
        place: links.Place | None = env["place"]
        if place is not None:
            tokens[index].attrSet("href", place.resolve(str(tokens[index].attrs.get("href", ""))))
        return self.renderToken(tokens, index, options, env)

    def link_close(
        self, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        env["links"] -= 1
        return self.renderToken(tokens, index, options, env)


def _words(inline: Token) -> str:
    """What a heading says, without its marks."""
    return "".join(child.content for child in inline.children or () if child.type in ("text", "code_inline"))


def linked(text: str, home: str = "") -> str:
    """Escaped text in which bare web addresses are links, and `#12` too when `home` is a repository's path; signs
    are drawn."""
    parts: list[str] = []
    end = 0
    for match in _REFERENCES.finditer(text):
        number = match["number"]
        if number and not home:
            continue
        address = f"{home}/issues/{number}" if number else match[0]
        found = _sign(match) if match["emoji"] else _link(address, match[0])
        parts += [str(escape(text[end : match.start()])), found]
        end = match.end()
    return "".join([*parts, str(escape(text[end:]))])


def _sign(match: re.Match[str]) -> str:
    """The drawn sign; the character itself for the clipboard and screen readers."""
    tone, name = _EMOJI[match["emoji"]]
    drawn = f'<svg class="sign {tone} tone" viewBox="0 0 16 16" aria-hidden="true"><use href="#s-{name}"></use></svg>'
    return f'{drawn}<span class="visually-hidden">{match[0]}</span>'


def _link(address: str, text: str) -> str:
    return f'<a href="{escape(address)}" rel="{_REL}">{escape(text)}</a>'


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
