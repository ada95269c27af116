"""What a commit's app says of itself: app.json, package.json and eas.json, read as data and held against the policy.

Nothing of the app is evaluated here: eas-cli would run an `app.config.*` with Expo's token beside it, so there may be none.
Sources: docs.expo.dev/versions/latest/config/app, docs.expo.dev/eas/json, docs.expo.dev/eas-update/runtime-versions
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import RefusedError

if TYPE_CHECKING:
    from pipelines.manifest.mobile import Mobile, Platform

APP, PACKAGE, LOCK, EAS = "app.json", "package.json", "package-lock.json", "eas.json"
FINGERPRINT = "fingerprint.config.js"
SKIPS = ("ExpoConfigVersions", "EasJson")
"""`sourceSkips` by which neither a version nor a build number changes the runtime version; no preset but 'balanced' has them."""
_THREE_NUMBERS = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}")
"""What Apple takes as a version (CFBundleShortVersionString): no pre-release."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something that keeps a commit from being released: what is wrong where, and what to edit."""

    where: str
    what: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.next_step}"


@dataclass(frozen=True, kw_only=True)
class App:
    """The files, as they are in the commit. Each is {} where it is missing or no JSON object (`unreadable` says so)."""

    config: Mapping[str, Any]
    """`expo` of app.json."""
    package: Mapping[str, Any]
    eas: Mapping[str, Any]
    fingerprint: str
    """Text of fingerprint.config.js; empty where there is none."""
    files: frozenset[str]
    """Names in the folder."""
    unreadable: tuple[Problem, ...] = ()

    @property
    def version(self) -> str:
        return str(self.config.get("version", ""))

    def profile(self, name: str) -> dict[str, Any] | None:
        """A profile of eas.json with what it extends filled in, as eas-cli does; None when there is none of that name."""
        profiles = _object(self.eas.get("build"))
        found: dict[str, Any] = {}
        seen: set[str] = set()
        while name and name not in seen:
            seen.add(name)
            if name not in profiles:
                return None
            own = _object(profiles[name])
            found = {**own, **found}
            name = str(own.get("extends", ""))
        return found


def read(folder: Path) -> App:
    """The app's files in a tree. Raises RefusedError when there is no folder."""
    if not folder.is_dir():
        raise RefusedError(
            "there is no app", where=str(folder), next_step="name its folder in shipmate.yml: `mobile: {app: …}`"
        )
    unreadable: list[Problem] = []
    found = {name: _json(folder / name, unreadable) for name in (APP, PACKAGE, EAS)}
    config = found[APP].get("expo", found[APP])
    fingerprint = folder / FINGERPRINT
    return App(
        config=_object(config),
        package=found[PACKAGE],
        eas=found[EAS],
        fingerprint=fingerprint.read_text(errors="replace") if fingerprint.is_file() else "",
        files=frozenset(file.name for file in folder.iterdir()),
        unreadable=tuple(unreadable),
    )


def problems(app: App, mobile: Mobile, version: str) -> list[Problem]:
    """Everything that is wrong with an app that shall be released as this version; empty when nothing is. Pure."""
    if app.unreadable:
        return list(app.unreadable)
    return [*_versions(app, mobile, version), *_identity(app, mobile), *_config(app), *_profile(app, mobile)]


def _versions(app: App, mobile: Mobile, version: str) -> Iterator[Problem]:
    for name, message in ((APP, app.version), (PACKAGE, app.package.get("version"))):
        if message is not None and message != version:
            where = f"{mobile.app}/{name}"
            yield Problem(
                where=where,
                what=f"says version {message or 'nothing'!r}, the tag {version!r}",
                next_step="write the version that is tagged",
            )
    if mobile.ios is not None and not _THREE_NUMBERS.fullmatch(version):
        yield Problem(
            where="tag",
            what=f"{version!r} is no version that Apple takes: three numbers and nothing else",
            next_step="tag a version like 1.2.3; testers get it before users do anyway",
        )


def _identity(app: App, mobile: Mobile) -> Iterator[Problem]:
    wanted: list[tuple[str, Any, str]] = [
        ("owner", app.config.get("owner"), mobile.eas.account),
        ("slug", app.config.get("slug"), mobile.eas.slug),
        ("extra.eas.projectId", _at(app.config, "extra", "eas", "projectId"), mobile.eas.project),
    ]
    if mobile.android is not None:
        wanted.append(("android.package", _at(app.config, "android", "package"), mobile.android.package))
    if mobile.ios is not None:
        wanted.append(("ios.bundleIdentifier", _at(app.config, "ios", "bundleIdentifier"), mobile.ios.bundle))
    for key, found, policy in wanted:
        if found != policy:
            yield Problem(
                where=f"{mobile.app}/{APP}",
                what=f"{key} is {found!r}, the default branch's shipmate.yml says {policy!r}",
                next_step="fix whichever is wrong: an app of another name would go to another place",
            )


def _config(app: App) -> Iterator[Problem]:
    for name in sorted(name for name in app.files if name.startswith("app.config.")):
        yield Problem(
            where=name,
            what="is code, which eas-cli would run with Expo's token beside it",
            next_step=f"say it all in {APP}, and delete this file",
        )
    if LOCK not in app.files:
        yield Problem(
            where=LOCK,
            what="is missing: what is built today could not be built again",
            next_step="`npm install` writes it; commit it",
        )
    policy = _object(app.config.get("runtimeVersion")).get("policy")
    if policy != "fingerprint":
        yield Problem(
            where=APP,
            what=f"runtimeVersion is {app.config.get('runtimeVersion')!r}: nothing would keep an update from a build it does not fit",
            next_step='write "runtimeVersion": {"policy": "fingerprint"}',
        )
    missing = [skip for skip in SKIPS if skip not in app.fingerprint]
    if missing:
        yield Problem(
            where=FINGERPRINT,
            what=f"does not name {' and '.join(missing)} under sourceSkips: each build number would be a runtime version of its own",
            next_step=f"module.exports = {{ sourceSkips: [{', '.join(repr(skip) for skip in SKIPS)}] }};",
        )


def _profile(app: App, mobile: Mobile) -> Iterator[Problem]:
    name = mobile.eas.profile
    profile = app.profile(name)
    if profile is None:
        yield Problem(
            where=EAS, what=f"has no profile {name!r} (or one it extends is missing)", next_step="add it under `build`"
        )
        return
    if _at(app.eas, "cli", "appVersionSource") != "local":
        yield Problem(
            where=EAS,
            what="appVersionSource is not 'local': EAS would choose the build numbers",
            next_step='write "cli": {"appVersionSource": "local"}',
        )
    for where, part in (
        ("", profile),
        ("android.", _object(profile.get("android"))),
        ("ios.", _object(profile.get("ios"))),
    ):
        if part.get("autoIncrement"):
            yield Problem(
                where=EAS, what=f"{where}autoIncrement of {name!r} would change the build number", next_step="remove it"
            )
    for key, bad in (("developmentClient", (True,)), ("distribution", ("internal",))):
        if profile.get(key) in bad:
            yield Problem(where=EAS, what=f"{key} of {name!r} makes builds that no store takes", next_step="remove it")
    if _at(profile, "android", "buildType") == "apk":
        yield Problem(
            where=EAS, what=f"android.buildType of {name!r} is 'apk': Play takes bundles", next_step="remove it"
        )
    if not profile.get("channel"):
        yield Problem(
            where=EAS,
            what=f"{name!r} has no channel: no update would reach its builds",
            next_step=f'write "channel": "{name}"',
        )


def with_numbers(app: bytes, numbers: Mapping[Platform, int], version: str) -> bytes:
    """app.json with the build numbers (platform -> number) written into it; everything else stays.

    Raises RefusedError for another version than the one that was verified.
    """
    document = json.loads(app)
    config = document.get("expo", document)
    if config.get("version") != version:
        raise RefusedError(
            f"says version {config.get('version')!r}, not {version!r}, which was verified",
            where=APP,
            next_step="start the release of the app again",
        )
    if "android" in numbers:
        config.setdefault("android", {})["versionCode"] = numbers["android"]
    if "ios" in numbers:
        config.setdefault("ios", {})["buildNumber"] = str(numbers["ios"])
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _json(file: Path, unreadable: list[Problem]) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
        if not isinstance(found, dict):
            raise ValueError("it is no JSON object")
    except (OSError, ValueError) as error:
        message = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
        unreadable.append(Problem(where=file.name, what=message, next_step="make it a JSON object"))
        return {}
    return found


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = _object(value).get(key)
    return value
