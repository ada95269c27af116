"""apps/mobile as the release sees it: it can be released, and a build number changes nothing that updates depend on."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from pipelines.manifest import load
from pipelines.manifest.model import Manifest
from pipelines.mobile import app
from rehearsal.eas.fingerprint import fingerprint

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load(ROOT / "shipmate.yml")


@pytest.fixture(scope="module")
def files(manifest: Manifest) -> dict[str, bytes]:
    """What git keeps of the app: a commit has no packages."""
    folder = ROOT / folder_of(manifest)
    listed = subprocess.run(["git", "-C", str(folder), "ls-files", "-z"], check=True, capture_output=True, text=True)
    return {name: (folder / name).read_bytes() for name in listed.stdout.split("\0") if name}


def folder_of(manifest: Manifest) -> str:
    assert manifest.mobile is not None
    return manifest.mobile.app


def test_it_can_be_released(manifest: Manifest) -> None:
    assert manifest.mobile is not None
    here = app.read(ROOT / manifest.mobile.app)
    assert list(app.problems(here, manifest.mobile, here.version)) == []


def test_a_release_edits_one_file(manifest: Manifest, files: dict[str, bytes], tmp_path: Path) -> None:
    """As the README says: the version in app.json, nothing else."""
    assert manifest.mobile is not None
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    config = json.loads(files["app.json"])
    config["expo"]["version"] = "99.0.1"
    (tmp_path / "app.json").write_text(json.dumps(config))
    assert list(app.problems(app.read(tmp_path), manifest.mobile, "99.0.1")) == []


@pytest.mark.parametrize("platform", ["android", "ios"])
def test_two_builds_of_a_commit_take_the_same_updates(files: dict[str, bytes], platform: str) -> None:
    version = json.loads(files["app.json"])["expo"]["version"]
    runtimes = {
        fingerprint(
            {**files, "app.json": app.with_numbers(files["app.json"], {"android": number, "ios": number}, version)},
            platform,
        )
        for number in (1, 7, 2_100_000_000)
    }
    assert runtimes == {fingerprint(files, platform)}


def test_a_change_of_native_code_takes_updates_of_its_own(files: dict[str, bytes]) -> None:
    lock = json.loads(files["package-lock.json"])
    lock["packages"]["node_modules/expo-updates"]["version"] = "57.0.25"
    changed = {**files, "package-lock.json": json.dumps(lock).encode()}
    assert fingerprint(changed, "ios") != fingerprint(files, "ios")


def test_the_lock_file_holds_for_any_registry(files: dict[str, bytes]) -> None:
    packages = json.loads(files["package-lock.json"])["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []


def test_each_channel_has_the_backend_of_its_environment(manifest: Manifest, files: dict[str, bytes]) -> None:
    found = re.findall(r'environment: "(\w+)", apiUrl: "([^"]+)"', files["src/settings.mjs"].decode())
    deployed = {name: environment.targets["backend"].url for name, environment in manifest.environments.items()}
    assert dict(found) == deployed
