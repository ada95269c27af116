"""Inputs of workflow_dispatch and workflow_call: defaults, types, and what is refused."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from rehearsal.runner.hub import InputError
from rehearsal.runner.values import parse_number, to_string


def dispatched(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, str]:
    """Every declared input as text, defaults filled in, as `github.event.inputs` holds them.

    Raises InputError for an unknown, missing or unsuitable one; the text says what is known.
    """
    _refuse_unknown(declared, given)
    return {name: _text(name, spec, given.get(name)) for name, spec in declared.items()}


def called(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Typed inputs of a called workflow. Raises InputError as `dispatched` does."""
    _refuse_unknown(declared, given)
    return {name: typed(spec, _text(name, spec, given.get(name))) for name, spec in declared.items()}


def typed(spec: Mapping[str, Any], text: str) -> Any:
    """The value the `inputs` context holds: booleans and numbers as such, everything else text."""
    if spec.get("type") == "boolean":
        return text == "true"
    if spec.get("type") == "number":
        return parse_number(text)
    return text


def typed_all(declared: Mapping[str, Mapping[str, Any]], texts: Mapping[str, str]) -> dict[str, Any]:
    return {name: typed(spec, texts.get(name, "")) for name, spec in declared.items()}


def _refuse_unknown(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> None:
    unknown = [name for name in given if name not in declared]
    if not unknown:
        return
    close = difflib.get_close_matches(unknown[0], list(declared), n=1)
    hint = f", did you mean '{close[0]}'?" if close else ""
    known = ", ".join(declared) or "none: this workflow takes no inputs"
    raise InputError(f"Unexpected inputs provided: {unknown}{hint} Known inputs: {known}")


def _text(name: str, spec: Mapping[str, Any], value: Any) -> str:
    if value is None or value == "":
        if spec.get("required") and spec.get("default") in (None, ""):
            raise InputError(f"Required input '{name}' not provided")
        value = spec.get("default")
        if value is None:
            value = _empty(spec)
    text = to_string(value)
    _refuse_unsuitable(name, spec, text)
    return text


def _empty(spec: Mapping[str, Any]) -> Any:
    kind = spec.get("type")
    if kind == "choice":
        return next(iter(spec.get("options") or ()), "")
    return {"boolean": False, "number": 0}.get(str(kind), "")


def _refuse_unsuitable(name: str, spec: Mapping[str, Any], text: str) -> None:
    kind = spec.get("type", "string")
    if kind == "boolean" and text not in ("true", "false"):
        raise InputError(f"Provided value '{text}' for input '{name}' is not a boolean: give 'true' or 'false'")
    if kind == "number" and parse_number(text) != parse_number(text):
        raise InputError(f"Provided value '{text}' for input '{name}' is not a number")
    options = [to_string(option) for option in spec.get("options") or ()]
    if kind == "choice" and text not in options:
        listed = ", ".join(options)
        raise InputError(f"Provided value '{text}' for input '{name}' not in the list of allowed values: {listed}")
