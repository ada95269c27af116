"""The runtime version of an app by fingerprint: a hash of what its native code depends on, for one platform.

The real one (npm @expo/fingerprint) finds native modules by evaluating the app's configuration and its packages; here the lock file
stands for them. What is like there: JavaScript and other files of the app's own do not count, the configuration, the icons it names and
native folders do, and so does eas.json; `fingerprint.config.js` may name `sourceSkips`. The two platforms have different hashes.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

CONFIG = "fingerprint.config.js"
VERSIONS, EAS_JSON = "ExpoConfigVersions", "EasJson"
_FOLDERS = ("android/", "ios/", "modules/", "plugins/", "patches/")
_SKIPS = re.compile(r"sourceSkips\s*:\s*\[([^\]]*)\]")
_NAME = re.compile(r"""["'`]?([A-Za-z.]+)["'`]?""")


class UnknownSkip(ValueError):
    """A source skip that is not supported; the text names it."""


def fingerprint(files: Mapping[str, bytes], platform: str, variables: Mapping[str, str] | None = None) -> str:
    """SHA-1 as hexadecimal digits. `files` are those of the app's folder; `variables` those its configuration depends on.

    Raises UnknownSkip, ValueError (app.json is no JSON).
    """
    hashed = hashlib.sha1(platform.encode(), usedforsecurity=False)
    for name, digest in sources(files).items():
        hashed.update(f"\n{name} {digest}".encode())
    for name, value in sorted((variables or {}).items()):
        hashed.update(f"\n{name}={value}".encode())
    return hashed.hexdigest()


def sources(files: Mapping[str, bytes]) -> dict[str, str]:
    """What is hashed: name -> SHA-1. Raises UnknownSkip, ValueError."""
    skipped = skips(files.get(CONFIG, b"").decode(errors="replace"))
    return {
        name: hashlib.sha1(content, usedforsecurity=False).hexdigest() for name, content in _sources(files, skipped)
    }


def skips(text: str) -> frozenset[str]:
    """Names under `sourceSkips`, read and not evaluated. Raises UnknownSkip."""
    listed = _SKIPS.search(text)
    names = {name.rpartition(".")[2] for name in _NAME.findall(listed.group(1))} if listed else set()
    unknown = names - {VERSIONS, EAS_JSON}
    if unknown:
        raise UnknownSkip(
            f"{CONFIG}: the rehearsal knows the source skips {VERSIONS} and {EAS_JSON}, not {', '.join(sorted(unknown))}"
        )
    return frozenset(names)


def config_of(files: Mapping[str, bytes]) -> dict[str, Any]:
    """`expo` of app.json. Raises ValueError."""
    document = json.loads(files.get("app.json", b"{}"))
    config = document.get("expo", document) if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise ValueError("app.json is no JSON object")
    return config


def _sources(files: Mapping[str, bytes], skipped: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    config = copy.deepcopy(config_of(files))
    named = {text.removeprefix("./") for text in _texts(config)}
    if VERSIONS in skipped:
        config.pop("version", None)
        _section(config, "android").pop("versionCode", None)
        _section(config, "ios").pop("buildNumber", None)
    yield "expoConfig", json.dumps(config, sort_keys=True).encode()
    package = json.loads(files.get("package.json", b"{}"))
    yield "package.json", json.dumps(package.get("dependencies", {}), sort_keys=True).encode()
    for name in sorted(files):
        if name == "package-lock.json":
            yield name, _without_version(files[name])
        elif name == "eas.json":
            if EAS_JSON not in skipped:
                yield name, files[name]
        elif name in named or name.startswith(_FOLDERS):
            yield name, files[name]


def _without_version(lock: bytes) -> bytes:
    """npm repeats the version of package.json in the lock file; packages, not it, are what counts."""
    document = json.loads(lock)
    packages = {name: entry for name, entry in document.get("packages", {}).items() if name}
    return json.dumps(packages, sort_keys=True).encode()


def _section(config: dict[str, Any], name: str) -> dict[str, Any]:
    section = config.get(name)
    return section if isinstance(section, dict) else {}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
