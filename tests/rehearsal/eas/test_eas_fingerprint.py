"""What changes the runtime version of an app, and what does not."""

from __future__ import annotations

import json

import pytest

from rehearsal.eas.fingerprint import UnknownSkip, fingerprint

SKIPS = b'module.exports = { sourceSkips: ["ExpoConfigVersions", "EasJson"] };'


def files(**changed: object) -> dict[str, bytes]:
    config = {
        "version": "1.0.0",
        "icon": "./assets/icon.png",
        "android": {"versionCode": 1},
        "ios": {"buildNumber": "1"},
    }
    return {
        "app.json": json.dumps({"expo": {**config, **changed}}).encode(),
        "package.json": b'{"version": "1.0.0", "dependencies": {"expo": "55.0.0"}}',
        "package-lock.json": b'{"packages": {"": {"version": "1.0.0"}, "node_modules/expo": {"version": "55.0.0"}}}',
        "eas.json": b'{"build": {}}',
        "assets/icon.png": b"icon",
        "index.ts": b"1",
        "fingerprint.config.js": SKIPS,
    }


BEFORE = fingerprint(files(), "android")


def test_build_numbers_and_eas_json_do_not_count_where_they_are_skipped() -> None:
    changed = files(version="2.0.0", android={"versionCode": 2}, ios={"buildNumber": "2"})
    assert fingerprint({**changed, "eas.json": b"{}"}, "android") == BEFORE


def test_they_count_without_source_skips() -> None:
    plain = {**files(), "fingerprint.config.js": b""}
    numbered = {**files(android={"versionCode": 2}), "fingerprint.config.js": b""}
    assert fingerprint(numbered, "android") != fingerprint(plain, "android")
    assert fingerprint({**plain, "eas.json": b"{}"}, "android") != fingerprint(plain, "android")


def test_scripts_and_the_packages_own_version_do_not_count() -> None:
    newer = {
        "index.ts": b"2",
        "package.json": b'{"version": "2.0.0", "dependencies": {"expo": "55.0.0"}}',
        "package-lock.json": b'{"packages": {"": {"version": "2.0.0"}, "node_modules/expo": {"version": "55.0.0"}}}',
    }
    assert fingerprint({**files(), **newer}, "android") == BEFORE


@pytest.mark.parametrize(
    "changed",
    [
        {"package-lock.json": b'{"packages": {"node_modules/expo": {"version": "55.0.1"}}}'},
        {"assets/icon.png": b"another"},
        {"modules/camera/index.kt": b"native"},
        {"app.json": b'{"expo": {"icon": "./assets/icon.png", "plugins": ["expo-camera"]}}'},
    ],
    ids=lambda one: next(iter(one)),
)
def test_what_is_native_counts(changed: dict[str, bytes]) -> None:
    assert fingerprint({**files(), **changed}, "android") != BEFORE


def test_platforms_and_variables_make_others() -> None:
    """expo/eas-cli#3602, expo/expo#46817."""
    assert len({BEFORE, fingerprint(files(), "ios"), fingerprint(files(), "android", {"MAP_KEY": "x"})}) == 3


def test_a_source_skip_that_is_not_supported_is_named() -> None:
    with pytest.raises(UnknownSkip, match="not GitIgnore"):
        fingerprint({**files(), "fingerprint.config.js": b'module.exports = { sourceSkips: ["GitIgnore"] };'}, "ios")
