"""What an app's own files may say: everything wrong is named at once, with the file to edit, and nothing of the app is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import RefusedError
from pipelines.manifest.mobile import AppStore, Eas, Mobile, PlayStore
from pipelines.mobile import app

PROJECT = "00000000-0000-0000-0000-000000000000"
POLICY = Mobile(
    component="mobile",
    app="apps/mobile",
    eas=Eas(account="acme", slug="shop", project=PROJECT),
    android=PlayStore(package="test.acme.shop", workload_identity="//iam/x", service_account="play@acme"),
    ios=AppStore(bundle="test.acme.shop", app="6471234567", issuer="issuer", key="KEY"),
)
CONFIG: dict[str, Any] = {
    "name": "Shop",
    "slug": "shop",
    "owner": "acme",
    "version": "1.0.1",
    "runtimeVersion": {"policy": "fingerprint"},
    "ios": {"bundleIdentifier": "test.acme.shop"},
    "android": {"package": "test.acme.shop"},
    "extra": {"eas": {"projectId": PROJECT}},
}
BUILDS: dict[str, Any] = {
    "cli": {"appVersionSource": "local"},
    "build": {"base": {"channel": "production"}, "production": {"extends": "base"}},
}
FINGERPRINT = "module.exports = { sourceSkips: ['ExpoConfigVersions', 'EasJson'] };"


def tree(folder: Path, *, config: Any = None, eas: Any = None, **files: str | None) -> Path:
    """The files of a good app, with other values; None leaves a file out."""
    written: dict[str, str | None] = {
        "app.json": json.dumps({"expo": CONFIG | (config or {})}),
        "package.json": json.dumps({"name": "shop", "private": True}),
        "package-lock.json": "{}",
        "eas.json": json.dumps(eas or BUILDS),
        "fingerprint.config.js": FINGERPRINT,
        **{name.replace("__", "."): text for name, text in files.items()},
    }
    folder.mkdir(exist_ok=True)
    for name, text in written.items():
        if text is not None:
            (folder / name).write_text(text)
    return folder


def found(folder: Path, version: str = "1.0.1", policy: Mobile = POLICY) -> list[str]:
    return [f"{each.where}: {each.what}" for each in app.problems(app.read(folder), policy, version)]


def test_a_good_app(tmp_path: Path) -> None:
    assert found(tree(tmp_path)) == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"version": "1.0.0"}, "apps/mobile/app.json: says version '1.0.0', the tag '1.0.1'"),
        ({"owner": "someone"}, "owner is 'someone', the default branch's shipmate.yml says 'acme'"),
        ({"slug": "other"}, "slug is 'other'"),
        ({"extra": {}}, f"extra.eas.projectId is None, the default branch's shipmate.yml says '{PROJECT}'"),
        ({"android": {"package": "test.acme.evil"}}, "android.package is 'test.acme.evil'"),
        ({"ios": {"bundleIdentifier": "test.acme.evil"}}, "ios.bundleIdentifier is 'test.acme.evil'"),
        ({"runtimeVersion": "1.0.0"}, "app.json: runtimeVersion is '1.0.0'"),
        ({"runtimeVersion": {"policy": "appVersion"}}, "app.json: runtimeVersion is {'policy': 'appVersion'}"),
    ],
)
def test_a_config_that_is_not_what_was_agreed(tmp_path: Path, config: dict[str, Any], message: str) -> None:
    (only,) = found(tree(tmp_path, config=config))
    assert message in only


@pytest.mark.parametrize("name", ["app.config.js", "app.config.ts", "app.config.mjs", "app.config.json5"])
def test_code_that_would_run_beside_the_token_is_refused(tmp_path: Path, name: str) -> None:
    tree(tmp_path)
    (tmp_path / name).write_text("module.exports = {};")
    assert found(tmp_path) == [f"{name}: is code, which eas-cli would run with Expo's token beside it"]


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ({"autoIncrement": True}, "autoIncrement of 'production' would change the build number"),
        ({"ios": {"autoIncrement": "buildNumber"}}, "ios.autoIncrement of 'production' would change"),
        ({"developmentClient": True}, "developmentClient of 'production' makes builds that no store takes"),
        ({"distribution": "internal"}, "distribution of 'production' makes builds that no store takes"),
        ({"android": {"buildType": "apk"}}, "android.buildType of 'production' is 'apk'"),
        ({"channel": ""}, "'production' has no channel"),
        ({"extends": "gone"}, "has no profile 'production' (or one it extends is missing)"),
    ],
)
def test_a_profile_that_makes_no_build_for_the_stores(tmp_path: Path, profile: dict[str, Any], message: str) -> None:
    builds = {**BUILDS, "build": {**BUILDS["build"], "production": {"extends": "base", **profile}}}
    (only,) = found(tree(tmp_path, eas=builds))
    assert message in only


def test_what_a_profile_extends_counts_and_a_circle_ends(tmp_path: Path) -> None:
    builds = {
        **BUILDS,
        "build": {
            "base": {"autoIncrement": True, "extends": "production"},
            "production": {"extends": "base", "channel": "p"},
        },
    }
    assert found(tree(tmp_path, eas=builds)) == [
        "eas.json: autoIncrement of 'production' would change the build number"
    ]


def test_numbers_are_ours(tmp_path: Path) -> None:
    builds = {**BUILDS, "cli": {"appVersionSource": "remote"}}
    assert found(tree(tmp_path, eas=builds)) == [
        "eas.json: appVersionSource is not 'local': EAS would choose the build numbers"
    ]


def test_everything_wrong_is_reported_at_once(tmp_path: Path) -> None:
    tree(tmp_path, config={"version": "1.0.0", "owner": "x"}, fingerprint__config__js=None)
    (tmp_path / "package-lock.json").unlink()
    (tmp_path / "package.json").write_text('{"version": "0.9.0"}')
    problems = app.problems(app.read(tmp_path), POLICY, "1.0.1")
    assert [each.where for each in problems] == [
        "apps/mobile/app.json",
        "apps/mobile/package.json",
        "apps/mobile/app.json",
        "package-lock.json",
        "fingerprint.config.js",
    ]


@pytest.mark.parametrize(("name", "text"), [("app__json", "{"), ("eas__json", "[]"), ("package__json", None)])
def test_a_file_that_says_nothing(tmp_path: Path, name: str, text: str | None) -> None:
    (only,) = found(tree(tmp_path, **{name: text}))
    assert only.startswith(name.replace("__", "."))


def test_a_version_with_a_pre_release_is_none_for_apple(tmp_path: Path) -> None:
    """eas-cli#2733: it is built for half an hour, and then refused."""
    tree(tmp_path, config={"version": "1.0.1-rc.1"})
    assert found(tmp_path, "1.0.1-rc.1") == [
        "tag: '1.0.1-rc.1' is no version that Apple takes: three numbers and nothing else"
    ]
    android = Mobile(component="mobile", app="apps/mobile", eas=POLICY.eas, android=POLICY.android)
    assert found(tmp_path, "1.0.1-rc.1", android) == []


def test_numbers_are_written_and_nothing_else_changes() -> None:
    before = json.dumps({"expo": CONFIG, "other": 1}).encode()
    after = json.loads(app.with_numbers(before, {"android": 42, "ios": 17}, "1.0.1"))
    assert after["expo"]["android"].pop("versionCode") == 42
    assert after["expo"]["ios"].pop("buildNumber") == "17"
    assert after == json.loads(before)
    with pytest.raises(RefusedError, match=r"says version '1\.0\.1', not"):
        app.with_numbers(before, {"android": 42}, "1.0.2")


def test_where_there_is_no_app(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="there is no app"):
        app.read(tmp_path / "gone")
