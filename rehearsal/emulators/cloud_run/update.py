"""What a PATCH with an update mask makes of a service's settings."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from rehearsal.emulators.google.errors import invalid

MUTABLE = (
    "description",
    "labels",
    "annotations",
    "client",
    "clientVersion",
    "ingress",
    "launchStage",
    "binaryAuthorization",
    "template",
    "traffic",
    "scaling",
    "invokerIamDisabled",
    "defaultUriDisabled",
    "customAudiences",
    "buildConfig",
    "multiRegionSettings",
    "iapEnabled",
    "functionalType",
    "sshEnabled",
)


def settings_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a Service that its user sets."""
    return {field: copy.deepcopy(body[field]) for field in MUTABLE if field in body}


def updated(current: Mapping[str, Any], body: Mapping[str, Any], mask: str) -> dict[str, Any]:
    """`current` with the masked paths taken from `body`; a path absent from `body` is cleared.

    Without a mask, or with `*`, everything is taken from `body`. Raises GoogleError INVALID_ARGUMENT.
    """
    paths = [path.strip() for path in mask.split(",") if path.strip()]
    if not paths or paths == ["*"]:
        return settings_of(body)
    result = copy.deepcopy(dict(current))
    for path in paths:
        keys = [_camel(key) for key in path.split(".")]
        if keys[0] not in MUTABLE:
            raise invalid("updateMask", f"'{path}' is not a field that can be updated.")
        _copy_path(result, body, keys)
    return result


def _copy_path(result: dict[str, Any], body: Mapping[str, Any], keys: list[str]) -> None:
    found, value = _look_up(body, keys)
    holder = result
    for key in keys[:-1]:
        following = holder.setdefault(key, {})
        if not isinstance(following, dict):
            raise invalid("updateMask", f"'{'.'.join(keys)}' goes through '{key}', which is no message.")
        holder = following
    if found:
        holder[keys[-1]] = copy.deepcopy(value)
    else:
        holder.pop(keys[-1], None)


def _look_up(body: Mapping[str, Any], keys: list[str]) -> tuple[bool, Any]:
    value: Any = body
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            return False, None
        value = value[key]
    return True, value


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)
