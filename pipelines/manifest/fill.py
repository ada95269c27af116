"""YAML nodes into frozen dataclasses, with the line and the key of whatever is wrong, all at once.

A schema library would do for the values, but not for what people need here: the line, the nearest known key, and an import that costs
nothing (docs/decisions/0003). Supported types: str, int, float, bool, Literal, X | None, tuple[X, ...], Mapping[str, X], dataclasses,
and unions of dataclasses distinguished by a Literal field.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

import yaml


@dataclasses.dataclass(frozen=True)
class Problem:
    """One mistake: where (line from 1, path of keys) and what."""

    line: int
    path: str
    text: str


WRONG = object()
"""Stands for a value that could not be made; its problem is noted."""


@functools.cache
def hints(kind: Any) -> dict[str, Any]:
    """The types of a record's fields. They are written as text, which typing would compile again for each record that is filled."""
    return typing.get_type_hints(kind)


class Filler:
    """Collects problems while it fills."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def note(self, node: yaml.Node, path: str, text: str) -> Any:
        self.problems.append(Problem(node.start_mark.line + 1, path, text))
        return WRONG

    def fill(self, kind: Any, node: yaml.Node, path: str) -> Any:
        """A value of `kind` from a node, or WRONG."""
        origin = get_origin(kind)
        if origin in (typing.Union, types.UnionType):
            return self._union(kind, node, path)
        if origin is Literal:
            return self._literal(kind, node, path)
        if origin is tuple:
            return self._sequence(get_args(kind)[0], node, path)
        if origin is not None and issubclass(origin, Mapping):
            return self._mapping(get_args(kind)[1], node, path)
        if dataclasses.is_dataclass(kind):
            return self._record(kind, node, path)
        return self._scalar(kind, node, path)

    def _scalar(self, kind: Any, node: yaml.Node, path: str) -> Any:
        value = _plain(node)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if kind is str and isinstance(node, yaml.ScalarNode) and value is not None:
            return node.value
        if type(value) is kind:
            return value
        return self.note(node, path, f"must be {_named(kind)}, is {_shape(node)}")

    def _literal(self, kind: Any, node: yaml.Node, path: str) -> Any:
        value = _plain(node)
        choices = get_args(kind)
        if value in choices:
            return value
        return self.note(
            node, path, f"must be one of {', '.join(map(repr, choices))}, is {value!r}{_meant(str(value), choices)}"
        )

    def _sequence(self, kind: Any, node: yaml.Node, path: str) -> Any:
        if not isinstance(node, yaml.SequenceNode):
            return self.note(node, path, f"must be a list, is {_shape(node)}")
        return tuple(self.fill(kind, item, f"{path}/{index}") for index, item in enumerate(node.value))

    def _mapping(self, kind: Any, node: yaml.Node, path: str) -> Any:
        if not isinstance(node, yaml.MappingNode):
            return self.note(node, path, f"must be a mapping, is {_shape(node)}")
        return {key: self.fill(kind, value, f"{path}/{key}".lstrip("/")) for key, _, value in self._entries(node, path)}

    def _entries(self, node: yaml.MappingNode, path: str) -> list[tuple[str, yaml.Node, yaml.Node]]:
        entries: dict[str, tuple[str, yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in entries:
                self.note(key, f"{path}/{name}".lstrip("/"), "stands twice")
            entries[name] = (name, key, value)
        return list(entries.values())

    def _union(self, kind: Any, node: yaml.Node, path: str) -> Any:
        members = [member for member in get_args(kind) if member is not type(None)]
        if type(None) in get_args(kind) and _plain(node) is None and isinstance(node, yaml.ScalarNode):
            return None
        if len(members) == 1:
            return self.fill(members[0], node, path)
        return self._tagged(members, node, path)

    def _tagged(self, members: list[Any], node: yaml.Node, path: str) -> Any:
        """Records distinguished by their first field, a Literal of one value."""
        tag = dataclasses.fields(members[0])[0].name
        by_value = {get_args(hints(member)[tag])[0]: member for member in members}
        if not isinstance(node, yaml.MappingNode):
            return self.note(node, path, f"must be a mapping, is {_shape(node)}")
        for key, value in node.value:
            if key.value == tag:
                chosen = by_value.get(_plain(value))
                if chosen is not None:
                    return self._record(chosen, node, path)
                message = _plain(value)
                return self.note(
                    value,
                    f"{path}/{tag}",
                    f"must be one of {', '.join(map(repr, by_value))}, is {message!r}{_meant(str(message), by_value)}",
                )
        return self.note(node, path, f"needs the key {tag!r} (one of {', '.join(map(repr, by_value))})")

    def _record(self, kind: Any, node: yaml.Node, path: str) -> Any:
        if not isinstance(node, yaml.MappingNode):
            return self.note(node, path, f"must be a mapping, is {_shape(node)}")
        types_of = hints(kind)
        shown = {f.name: f for f in dataclasses.fields(kind) if not f.metadata.get("hidden")}
        rest = next((name for name, f in shown.items() if f.metadata.get("rest")), None)
        values: dict[str, Any] = {rest: {}} if rest else {}
        for name, key, value in self._entries(node, path):
            below = f"{path}/{name}".lstrip("/")
            if name in shown and name != rest:
                values[name] = self.fill(types_of[name], value, below)
            elif rest and isinstance(value, yaml.MappingNode):
                values[rest][name] = self.fill(get_args(types_of[rest])[1], value, below)
            else:
                self.note(key, below, f"unknown key{_meant(name, [known for known in shown if known != rest])}")
        for name, f in shown.items():
            if name not in values and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
                self.note(node, path or name, f"the key {name!r} is missing")
                values[name] = WRONG
        if any(value is WRONG for value in values.values()):
            return WRONG
        return kind(**values)


def _plain(node: yaml.Node) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        return None
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError):
        return node.value  # a tag of someone's own, or a date that is none: the text, which then has the wrong form


def _shape(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return "empty" if _plain(node) is None else repr(node.value)


def _named(kind: Any) -> str:
    return {str: "text", int: "a whole number", float: "a number", bool: "true or false"}.get(kind, str(kind))


def _meant(word: str, known: typing.Iterable[Any]) -> str:
    near = difflib.get_close_matches(word, [str(item) for item in known], n=1, cutoff=0.5)
    return f", did you mean {near[0]!r}?" if near else ""
