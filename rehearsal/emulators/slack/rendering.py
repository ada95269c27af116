"""A message as HTML, the way a reader sees it in Slack. Everything in it is escaped: a message can say anything.

Sources: docs.slack.dev/messaging/formatting-message-text (mrkdwn, its three escapes), docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from markupsafe import Markup, escape

_TOKEN = re.compile(
    r"```(?P<pre>.+?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<url>https?://[^|>\s]+)(?:\|(?P<label>[^>]*))?>"
    r"|<(?P<mention>[@#!][^>]*)>"
    r"|(?<![\w*])\*(?P<strong>[^*\n]+)\*(?![\w*])"
    r"|(?<![\w_])_(?P<em>[^_\n]+)_(?![\w_])"
    r"|(?<![\w~])~(?P<s>[^~\n]+)~(?![\w~])",
    re.DOTALL,
)
_NESTED = ("strong", "em", "s")
_DEEPEST = 20
"""Of what nests in rich text; Slack itself takes far less."""


def rendered(text: str, blocks: Sequence[Any]) -> Markup:
    """The blocks of a message; its text where it has none, as Slack shows it."""
    return _joined(map(_block, blocks)) if blocks else Markup("<p>{}</p>").format(mrkdwn(text))


def mrkdwn(text: str) -> Markup:
    """Slack's markup as HTML. Links lead to http(s) alone."""
    found, position = Markup(""), 0
    for token in _TOKEN.finditer(text):
        found += _plain(text[position : token.start()]) + _token(token)
        position = token.end()
    return found + _plain(text[position:])


def _token(token: re.Match[str]) -> Markup:
    kind = str(token.lastgroup)
    if token["url"]:
        return Markup('<a href="{}">{}</a>').format(
            _unescaped(token["url"]), _unescaped(token["label"] or token["url"])
        )
    if kind == "mention":
        return Markup("<b>{}</b>").format(_unescaped(token["mention"].rpartition("|")[2]))
    inner = mrkdwn(token[kind]) if kind in _NESTED else escape(_unescaped(token[kind]))
    return Markup(f"<{kind}>{{}}</{kind}>").format(inner)  # noqa: S704 - the name of a group above


def _plain(text: str) -> Markup:
    return escape(_unescaped(text))


def _unescaped(text: str) -> str:
    """Slack's three escapes undone, in the order that undoes each once."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def _block(block: dict[str, Any]) -> Markup:
    render = _BLOCKS.get(str(block.get("type")))
    return render(block) if render is not None else Markup("")


def _header(block: dict[str, Any]) -> Markup:
    return Markup("<h3>{}</h3>").format(_text(block.get("text")))


def _section(block: dict[str, Any]) -> Markup:
    found = Markup("<p>{}</p>").format(_text(block["text"])) if block.get("text") else Markup("")
    fields = _joined(Markup("<li>{}</li>").format(_text(field)) for field in block.get("fields") or ())
    found += Markup('<ul class="fields">{}</ul>').format(fields) if fields else Markup("")
    return found + (_element(block["accessory"]) if block.get("accessory") else Markup(""))


def _elements(block: dict[str, Any]) -> Markup:
    return Markup('<p class="context">{}</p>').format(Markup(" ").join(map(_element, block.get("elements") or ())))


def _divider(_block: dict[str, Any]) -> Markup:
    return Markup("<hr>")


def _rich_text(block: dict[str, Any]) -> Markup:
    return Markup("<div>{}</div>").format(_rich(block, 0))


def _rich(element: Any, depth: int) -> Markup:
    """Text, links and names of rich text; sections and lists are lines."""
    if not isinstance(element, dict) or depth > _DEEPEST:
        return Markup("")
    url = str(element.get("url") or "")
    if url.startswith(("http://", "https://")):
        return Markup('<a href="{}">{}</a>').format(url, element.get("text") or url)
    inner = escape(str(element.get("text") or element.get("name") or ""))
    inner += _joined(_rich(one, depth + 1) for one in _listed(element.get("elements")))
    lines = str(element.get("type", "")).startswith("rich_text_") and element.get("type") != "rich_text_list"
    return inner + "\n" if lines else inner


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _element(element: dict[str, Any]) -> Markup:
    """An image is not loaded, and says what it shows; a button is its label, with a link where it has one."""
    if element.get("type") == "image":
        return Markup("<i>[{}]</i>").format(element.get("alt_text", ""))
    if element.get("type") == "button":
        url, label = str(element.get("url") or ""), _text(element.get("text"))
        link = url.startswith(("http://", "https://"))
        return Markup('<a href="{}">{}</a>').format(url, label) if link else Markup("<b>[{}]</b>").format(label)
    return _text(element)


def _text(value: Any) -> Markup:
    """A text object."""
    if not isinstance(value, dict):
        return Markup("")
    text = str(value.get("text", ""))
    return mrkdwn(text) if value.get("type") == "mrkdwn" else escape(text)


_BLOCKS: dict[str, Callable[[dict[str, Any]], Markup]] = {
    "header": _header,
    "section": _section,
    "context": _elements,
    "actions": _elements,
    "image": lambda block: Markup("<p>{}</p>").format(_element(block)),
    "divider": _divider,
    "rich_text": _rich_text,
}
