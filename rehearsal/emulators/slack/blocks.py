"""What Slack refuses in the blocks of a message.

Limits are those of the published block types (npm `@slack/types`); no machine-readable schema states them. The reference:
https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_MOST_BLOCKS = 50
_MOST_ELEMENTS = {"actions": 25, "context": 10}
_LONGEST = {
    "section": 3000,
    "header": 150,
    "field": 2000,
    "alt_text": 2000,
    "block_id": 255,
    "action_id": 255,
    "button": 75,
}
_MOST_FIELDS = 10


def problems(blocks: Any) -> list[str]:
    """What is wrong with the `blocks` of a message, one sentence each with its JSON pointer."""
    if not isinstance(blocks, list):
        return ["must be a list [json-pointer:/blocks]"]
    found = [f"no more than {_MOST_BLOCKS} items allowed [json-pointer:/blocks]"] if len(blocks) > _MOST_BLOCKS else []
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        at = f"/blocks/{number}"
        if not isinstance(block, dict) or block.get("type") not in _CHECKS:
            found.append(
                f"unsupported type: {block.get('type') if isinstance(block, dict) else block!r} [json-pointer:{at}/type]"
            )
            continue
        found += [f"{text} [json-pointer:{at}{where}]" for where, text in _block(block, seen)]
    return found


def _block(block: dict[str, Any], seen: set[str]) -> Iterator[tuple[str, str]]:
    block_id = block.get("block_id")
    if block_id is not None:
        yield from _length(block_id, "/block_id", _LONGEST["block_id"])
        if block_id in seen:
            yield "/block_id", f"block_id {block_id!r} already exists"
        seen.add(block_id)
    yield from _CHECKS[block["type"]](block)


def _section(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    fields = block.get("fields")
    if "text" not in block and not fields:
        yield "", "missing required field: text or fields"
    if "text" in block:
        yield from _text(block["text"], "/text", _LONGEST["section"])
    if fields is not None:
        if not isinstance(fields, list) or not 1 <= len(fields) <= _MOST_FIELDS:
            yield "/fields", f"must be a list of 1 to {_MOST_FIELDS}"
            return
        for number, field in enumerate(fields):
            yield from _text(field, f"/fields/{number}", _LONGEST["field"])
    if "accessory" in block:
        yield from _element(block["accessory"], "/accessory")


def _header(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _text(block.get("text"), "/text", _LONGEST["header"], kinds=("plain_text",))


def _elements(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    elements = block.get("elements")
    most = _MOST_ELEMENTS[block["type"]]
    if not isinstance(elements, list) or not 1 <= len(elements) <= most:
        yield "/elements", f"must be a list of 1 to {most}"
        return
    for number, element in enumerate(elements):
        at = f"/elements/{number}"
        kind = element.get("type") if isinstance(element, dict) else None
        if block["type"] == "context" and kind in ("mrkdwn", "plain_text"):
            yield from _text(element, at, _LONGEST["section"])
        elif block["type"] == "context" and kind != "image":
            yield f"{at}/type", f"unsupported type: {kind}"
        else:
            yield from _element(element, at)


def _image(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not block.get("image_url") and not block.get("slack_file"):
        yield "", "missing required field: image_url"
    yield from _length(block.get("alt_text"), "/alt_text", _LONGEST["alt_text"])


def _nothing(_block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ()


def _rich_text(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not isinstance(block.get("elements"), list):
        yield "/elements", "must be a list"


_CHECKS: dict[str, Callable[[dict[str, Any]], Iterator[tuple[str, str]]]] = {
    "section": _section,
    "header": _header,
    "actions": _elements,
    "context": _elements,
    "image": _image,
    "divider": _nothing,
    "rich_text": _rich_text,
}


def _element(element: Any, at: str) -> Iterator[tuple[str, str]]:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind == "image":
        for where, text in _image(element):
            yield at + where, text
    elif kind == "button":
        yield from _text(element.get("text"), f"{at}/text", _LONGEST["button"], kinds=("plain_text",))
        if "action_id" in element:
            yield from _length(element["action_id"], f"{at}/action_id", _LONGEST["action_id"])
    else:
        yield f"{at}/type", f"unsupported type: {kind}"


def _text(
    value: Any, at: str, longest: int, *, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")
) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict) or value.get("type") not in kinds:
        yield at, f"must be a text object of type {' or '.join(kinds)}"
        return
    yield from _length(value.get("text"), f"{at}/text", longest)


def _length(value: Any, at: str, longest: int) -> Iterator[tuple[str, str]]:
    if not isinstance(value, str) or not value:
        yield at, "must be a text of at least 1 character"
    elif len(value) > longest:
        yield at, f"must be less than {longest + 1} characters"


def texts(blocks: object) -> list[str]:
    """Every text in blocks, in their order."""
    if isinstance(blocks, dict):
        own = [blocks["text"]] if isinstance(blocks.get("text"), str) else []
        return [*own, *(text for value in blocks.values() for text in texts(value))]
    return [text for block in blocks for text in texts(block)] if isinstance(blocks, list) else []
