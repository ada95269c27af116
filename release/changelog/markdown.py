"""Text from commits and pull requests as Markdown in which it is only text.

It cannot mention anybody, open HTML, fences, tables, links or images, start another block, or hide what it says. Code spans stay, because
`names` in them are what makes a line readable; their content is inert.
Source: the GitHub Flavored Markdown spec (2.4 backslash escapes, 6.3 code spans, 6.9 autolinks). GitHub looks for mentions in the text
that comes out, so an escape does not stop them and a zero-width space must. The same for owner/name#1 of another repository; a bare #1
is one of our own and stays.
"""

from __future__ import annotations

import re

NO_MENTION = "\u200b"
_HIDING = "\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_INVISIBLE = re.compile(f"[{_HIDING}]")
_HIDDEN_IN_CODE = re.compile(f"(?![\t\n])[{_HIDING}]")
_SPECIAL = re.compile(rf"[\\`*\[\]<>|~&$@]|(?<=[\w.-])#(?=\d)|(?<![^\W_])_|_(?![^\W_])|://|www\.|[{_HIDING}]")
_SPACED = re.compile(r"\s\s|[\t\n\r]")
_ODD = re.compile(rf"[\\`*\[\]<>|~&$@_]|[\w.-]#\d|://|www\.|\s\s|[{_HIDING}]")
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_BLOCK = re.compile(r"\s*(?:[#+=-]|\d+[.)](?=\s|$))")
_SPACES = re.compile(r"\s+")
_REPLACED = {"@": "@" + NO_MENTION, "#": "#" + NO_MENTION, "://": "\\://", "www.": "www\\."}


class Safe(str):
    """Text that is Markdown already, and of our own making."""

    __slots__ = ()


def escape(text: str) -> Safe:
    """One line of text from outside as inline Markdown; line breaks become spaces."""
    if _ODD.search(text) is not None:
        if _SPACED.search(text) is not None:
            text = _SPACES.sub(" ", text).strip()
        parts = _CODE.split(text)
        text = "".join(_code(part) if odd % 2 else _SPECIAL.sub(_char, part) for odd, part in enumerate(parts))
    if text.lstrip()[:1] in "#+=-0123456789" and (found := _BLOCK.match(text)):
        end = found.end() - 1
        text = f"{text[:end]}\\{text[end:]}"
    return Safe(text)


def finalize(value: object) -> str:
    """For Jinja: everything a template prints is escaped unless it is Safe already."""
    if isinstance(value, Safe):
        return value
    return "" if value is None else escape(str(value))


def cell(text: str) -> Safe:
    """Text as a table cell, where even a code span could hold a bar."""
    return escape(text.replace("|", "\u2223"))


def code(text: str) -> Safe:
    """Text as a code span that it cannot close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence, gap = "`" * (longest + 1), " " if longest else ""
    shown = _INVISIBLE.sub("\ufffd", _SPACES.sub(" ", text))
    return Safe(f"{fence}{gap}{shown}{gap}{fence}")


def visible(text: str) -> str:
    """Lines of code without what hides or moves other text."""
    return _HIDDEN_IN_CODE.sub("\ufffd", text)


def link(text: str, url: str) -> Safe:
    """A link of our own making; `text` is escaped, no link where there is no address."""
    return Safe(f"[{escape(text)}]({url})") if url else escape(text)


def _char(found: re.Match[str]) -> str:
    char = found[0]
    if char in _REPLACED:
        return _REPLACED[char]
    return "\ufffd" if _INVISIBLE.match(char) else "\\" + char


def _code(text: str) -> str:
    return "`" + _INVISIBLE.sub("\ufffd", text) + "`"
