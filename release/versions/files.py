"""Files that hold the version: read for the gate, written by `shipmate release bump` with everything else left as it is.

Nothing here formats. To write, each location in the text where the old version stands is tried, and the one is kept after which the file,
parsed again, differs in nothing but the wanted key: comments, order, indentation and quotes cannot get lost, whatever the format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pipelines.errors import InputError
from release.versions.sources import version_spans

_KNOWN = {
    "pyproject.toml": ("project.version",),
    "Cargo.toml": ("package.version",),
    "package.json": ("version",),
    "package-lock.json": ("/version", "/packages//version"),
    "app.json": ("expo.version",),
    "Chart.yaml": ("version",),
    "pubspec.yaml": ("version",),
}
_BUILD = re.compile(r"\+\d+$")
"""A build number behind a version, as apps have it (pubspec.yaml: 1.0.0+45): it is counted elsewhere, and stays."""
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class VersionLocation:
    """A key in a file that holds the version. `keys` empty: a file that says itself where its version stands."""

    path: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path}: {'/'.join(self.keys)}" if self.keys else self.path


def version_locations(declared: Sequence[str]) -> list[VersionLocation]:
    """Places from the manifest's `version_files`: `path`, or `path#key` (dotted, or a JSON pointer, RFC 6901)."""
    found: list[VersionLocation] = []
    for text in declared:
        path, _, key = text.partition("#")
        keys = (key,) if key else _KNOWN.get(PurePosixPath(path).name, ("",))
        found += [VersionLocation(path, _split(key)) for key in keys]
    return found


def read(location: VersionLocation, text: str) -> str:
    """The version at a location. Raises InputError when it is not there or the file cannot be read."""
    if not location.keys:
        start, end = _span(location, text)
        return text[start:end]
    value = _at(_parsed(location.path, text), location.keys)
    if not isinstance(value, str):
        raise InputError(
            f"has no version at {'/'.join(location.keys) or 'the empty key'}",
            where=location.path,
            next_step="name the key in version_files: path#key, dotted or as a JSON pointer",
        )
    return value


def differing(declared: Sequence[VersionLocation], version: str, content: Callable[[str], bytes | None]) -> list[str]:
    """What is wrong, for people, with each location that does not hold the version. `content`: of a file, None when it is not there."""
    wrong: list[str] = []
    for location in declared:
        found = content(location.path)
        if found is None:
            wrong.append(f"{location.path} is not in the commit")
            continue
        try:
            held = read(location, found.decode("utf-8", "replace"))
        except InputError as error:
            wrong.append(f"{location.path} {error.what}")
            continue
        if held != with_build(version, held):
            wrong.append(f"{location} holds {held}")
    return wrong


def write(location: VersionLocation, text: str, version: str) -> str:
    """The text with the version at a location replaced and nothing else. Raises InputError when it cannot be found."""
    old = read(location, text)
    version = with_build(version, old)
    if old == version:
        return text
    if not location.keys:
        start, end = _span(location, text)
        return text[:start] + version + text[end:]
    wanted = _with(_parsed(location.path, text), location.keys, version)
    at = text.find(old)
    while at >= 0:
        candidate = text[:at] + version + text[at + len(old) :]
        if _same(location.path, candidate, wanted):
            return candidate
        at = text.find(old, at + 1)
    raise InputError(
        f"the version at {'/'.join(location.keys)} could not be replaced",
        where=location.path,
        why="it is not written there as plain text",
        next_step=f"write {version} there by hand",
    )


def with_build(version: str, held: str) -> str:
    """The version as it stands beside a build number: that of `held` stays."""
    found = _BUILD.search(held)
    return f"{version}{found[0]}" if found is not None and "+" not in version else version


def _span(location: VersionLocation, text: str) -> tuple[int, int]:
    """Where a file without keys holds the version. Raises InputError when it is not there, or could be in several places."""
    found = version_spans(location.path, text)
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(
            "holds no version of the project",
            where=location.path,
            next_step='write one into it (`version = "1.2.3"`), or take it off version_files',
        )
    raise InputError(
        f"holds {len(found)} versions, such as {', '.join(text[start:end] for start, end in found[:3])}",
        where=location.path,
        why="nothing says which of them is the project's own",
        next_step='name it as `version = "1.2.3"` there, or a file with a key in version_files: path#key',
    )


def _split(key: str) -> tuple[str, ...]:
    if key.startswith("/"):
        if re.search(r"~(?![01])", key):
            raise InputError(
                f"{key!r} is no JSON pointer",
                where="version_files",
                why="~ stands for itself only as ~0 (RFC 6901)",
                next_step="write ~ as ~0 and / as ~1",
            )
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in key[1:].split("/"))
    return tuple(key.split(".")) if key else ()


def _parsed(path: str, text: str) -> Any:
    kind = PurePosixPath(path).suffix
    try:
        if kind == ".json":
            return json.loads(text)
        if kind == ".toml":
            import tomllib

            return tomllib.loads(text)
        if kind in (".yaml", ".yml"):
            import yaml

            return yaml.safe_load(text)
    except Exception as error:
        raise InputError(
            f"cannot be read: {error}", where=path, next_step="fix the file, then run this again"
        ) from error
    raise InputError(
        f"a key cannot be looked up in a {kind or 'plain'} file",
        where=path,
        next_step="use .toml, .json or .yaml, or name no key",
    )


def _at(data: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        if isinstance(data, list) and _INDEX.fullmatch(key) and int(key) < len(data):
            data = data[int(key)]
        elif isinstance(data, dict) and key in data:
            data = data[key]
        else:
            return None
    return data


def _with(data: Any, keys: Sequence[str], value: str) -> Any:
    if not keys:
        return value
    if isinstance(data, list):
        at = int(keys[0])
        return [*data[:at], _with(data[at], keys[1:], value), *data[at + 1 :]]
    return {**data, keys[0]: _with(data[keys[0]], keys[1:], value)}


def _same(path: str, text: str, wanted: Any) -> bool:
    try:
        return bool(_parsed(path, text) == wanted)
    except InputError:
        return False
