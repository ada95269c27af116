"""The app in the folder where the program was started, read as data."""

from __future__ import annotations

import io
import json
import os
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.eas.fingerprint import config_of, fingerprint
from rehearsal.eas.refusal import Failed

_LEFT_OUT = frozenset({".git", "node_modules", ".expo", "dist"})
_DYNAMIC = ("app.config.js", "app.config.ts", "app.config.mjs", "app.config.cjs", "app.config.json")
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Project:
    """`files`: by path below the app's folder, without packages and what is built."""

    folder: Path
    files: Mapping[str, bytes]
    config: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Raises Failed."""
        eas = self.config.get("extra", {}).get("eas", {})
        if "projectId" not in eas:
            raise Failed(
                "EAS project not configured. This command cannot configure it in non-interactive mode: set extra.eas.projectId in app.json."
            )
        return str(eas["projectId"])

    @property
    def cli(self) -> dict[str, Any]:
        """`cli` of eas.json, empty without one. Raises Failed."""
        content = self.files.get("eas.json")
        found = _json("eas.json", content).get("cli") if content is not None else None
        return found if isinstance(found, dict) else {}

    def profile(self, name: str) -> dict[str, Any]:
        """A build profile of eas.json, with what it extends. Raises Failed."""
        eas = _json("eas.json", self.files.get("eas.json"))
        profiles = eas.get("build", {})
        found: dict[str, Any] = {}
        wanted, seen = name, set[str]()
        while wanted and wanted not in seen:
            if wanted not in profiles:
                known = ", ".join(profiles)
                raise Failed(f'Missing build profile in eas.json: "{wanted}". Available profiles: [{known}]')
            seen.add(wanted)
            own = profiles[wanted]
            found = {**own, **found, "env": {**own.get("env", {}), **found.get("env", {})}}
            wanted = own.get("extends", "")
        return {**found, "appVersionSource": self.cli.get("appVersionSource")}

    def runtime(self, platform: str) -> tuple[str, str]:
        """(runtime version, fingerprint) of a platform. Raises Failed where the policy is not supported."""
        hashed = fingerprint(self.files, platform)
        wanted = self.config.get(platform, {}).get("runtimeVersion", self.config.get("runtimeVersion"))
        if isinstance(wanted, str):
            return wanted, hashed
        policy = wanted.get("policy") if isinstance(wanted, dict) else None
        if policy == "fingerprint":
            return hashed, hashed
        if policy == "appVersion":
            return str(self.config.get("version", "1.0.0")), hashed
        raise Failed(
            f"runtimeVersion {wanted!r}: the rehearsal supports texts and the policies fingerprint and appVersion"
        )

    def archive(self) -> bytes:
        """Its files as a zip, the same bytes for the same files."""
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
            for name in sorted(self.files):
                packed.writestr(zipfile.ZipInfo(name, _EPOCH), self.files[name], zipfile.ZIP_DEFLATED)
        return held.getvalue()

    def git(self, *arguments: str) -> str | None:
        """What git says of the checkout; None without one."""
        try:
            done = subprocess.run(["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    @property
    def commit(self) -> str | None:
        """As the real one, which knows no commit under EAS_NO_VCS."""
        return None if os.environ.get("EAS_NO_VCS") else self.git("rev-parse", "HEAD")

    @property
    def commit_message(self) -> str | None:
        return None if os.environ.get("EAS_NO_VCS") else self.git("log", "-1", "--format=%B")


def find(start: Path) -> Project:
    """The project around a folder. Raises Failed."""
    for folder in (start, *start.parents):
        if (folder / "package.json").is_file():
            return _read(folder)
    raise Failed("Run this command inside a project directory.")


def _read(folder: Path) -> Project:
    dynamic = [name for name in _DYNAMIC[:-1] if (folder / name).exists()]
    if dynamic:
        raise Failed(
            f"{folder / dynamic[0]}: the rehearsal's eas evaluates nothing of an app, and eas-cli would run this file with "
            "EXPO_TOKEN beside it. Write what it says into app.json."
        )
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(_walk(folder))
        if path.is_file() and not path.is_symlink()
    }
    try:
        config = config_of(files)
    except ValueError as error:
        raise Failed(f"Invalid app config.\n{folder / 'app.json'}: {error}") from error
    for name in ("slug", "name"):
        if name not in config:
            raise Failed(f'Invalid app config.\n"{name}" is required')
    return Project(folder=folder, files=files, config=config)


def _walk(folder: Path) -> list[Path]:
    found = []
    for path in folder.iterdir():
        if path.name in _LEFT_OUT:
            continue
        found += _walk(path) if path.is_dir() and not path.is_symlink() else [path]
    return found


def _json(name: str, content: bytes | None) -> dict[str, Any]:
    if content is None:
        raise Failed(f"{name} could not be found in the project. Learn more at https://expo.fyi/eas-json")
    try:
        document = json.loads(content)
    except ValueError as error:
        raise Failed(f"Found invalid JSON in {name}: {error}") from error
    return document if isinstance(document, dict) else {}
