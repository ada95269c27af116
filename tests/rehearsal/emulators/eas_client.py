"""EAS on a loopback port with an app beside it, and the program that works with both."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.emulators.eas.app import Eas
from rehearsal.emulators.eas.declaration import EMULATOR
from rehearsal.runner.actions import PROGRAMS
from tests.rehearsal.emulators.contexts import context

PROJECT = "7d3f0c1e-52a8-4b1f-9e0d-3c9a4f6b8e21"
MANIFEST = {"mobile": {"eas": {"account": "techmate", "slug": "techmate", "project": PROJECT}}}
APP: dict[str, Any] = {
    "expo": {
        "name": "TechMate",
        "slug": "techmate",
        "owner": "techmate",
        "version": "1.2.0",
        "icon": "./assets/icon.png",
        "runtimeVersion": {"policy": "fingerprint"},
        "updates": {"url": f"https://u.expo.dev/{PROJECT}"},
        "android": {"package": "ai.techmate.app", "versionCode": 7},
        "ios": {
            "bundleIdentifier": "ai.techmate.app",
            "buildNumber": "9",
            "infoPlist": {"ITSAppUsesNonExemptEncryption": False},
        },
        "extra": {"eas": {"projectId": PROJECT}},
    }
}
EAS_JSON = {
    "cli": {"appVersionSource": "local"},
    "build": {"base": {"channel": "production"}, "production": {"extends": "base", "distribution": "store"}},
}
SKIPS = 'module.exports = { sourceSkips: ["ExpoConfigVersions", "EasJson"] };\n'


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


def emulator(root: Path, token: str, clock: Clock) -> Eas:
    """As a world makes it, but with a clock of its own."""
    made = EMULATOR.build(context(EMULATOR, root, MANIFEST, secrets={"EXPO_TOKEN": token}))
    assert isinstance(made, Eas)
    made.account.clock = clock
    return made


@dataclass(kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err + self.out
        return json.loads(self.out)


@dataclass(kw_only=True)
class Program:
    """`eas` as a job runs it in the app's folder."""

    folder: Path
    base: str
    token: str
    time_scale: float = 0.001
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app.mkdir(parents=True)
        self.write("app.json", APP)
        self.write("eas.json", EAS_JSON)
        asked = {"expo": "~57.0.26", "expo-updates": "~57.0.24"}
        self.write("package.json", {"name": "mobile", "version": "1.2.0", "dependencies": asked})
        locked = {"": {"version": "1.2.0"}, **{f"node_modules/{name}": {"version": asked[name][1:]} for name in asked}}
        self.write("package-lock.json", {"packages": locked})
        (self.app / "fingerprint.config.js").write_text(SKIPS)
        (self.app / "index.ts").write_text("export const answer = 1;\n")
        (self.app / "assets").mkdir()
        (self.app / "assets/icon.png").write_bytes(b"icon")
        overlay = {"hosts": {"api.expo.dev": self.base}, "time_scale": self.time_scale}
        (self.folder / "overlay.json").write_text(json.dumps(overlay))

    @property
    def app(self) -> Path:
        return self.folder / "app"

    def write(self, name: str, document: Any) -> None:
        (self.app / name).write_text(json.dumps(document))

    def edit(self, **changed: Any) -> None:
        """Keys of `expo` in app.json."""
        self.write("app.json", {"expo": {**APP["expo"], **changed}})

    def run(self, *words: str) -> Done:
        environ = {
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "CI": "1",
            "EAS_NO_VCS": "1",
            "SHIPMATE_OVERLAY": str(self.folder / "overlay.json"),
            "EXPO_TOKEN": self.token,
            **self.environ,
        }
        done = subprocess.run(["eas", *words], env=environ, cwd=self.app, capture_output=True, text=True, check=False)
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)

    def build(self, platform: str = "all", *more: str) -> list[dict[str, Any]]:
        """Begin builds; their JSON."""
        found: list[dict[str, Any]] = self.run(
            "build", "-p", platform, "-e", "production", "--non-interactive", "--json", "--no-wait", *more
        ).json
        return found

    def publish(self, *more: str, message: str = "Fix") -> list[dict[str, Any]]:
        """Publish to production; the updates' JSON."""
        found: list[dict[str, Any]] = self.run("update", "--channel", "production", "-m", message, "--json", *more).json
        return found
