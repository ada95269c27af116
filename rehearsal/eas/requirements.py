"""What eas-cli asks of a checkout before it builds or publishes, in its words (npm eas-cli 24.8.0, the files named below)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.eas import VERSION
from rehearsal.eas.command_line import Call
from rehearsal.eas.project import Project
from rehearsal.eas.refusal import Failed

_LOCK_FILES = ("package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lockb", "bun.lock")
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_CONSTRAINT = re.compile(r"(>=)?\s*(\d+\.\d+\.\d+)")
_ENVIRONMENT_FROM = (55, 0, 0)
_EMBEDDED_FROM = (0, 19, 0)


def lock_file(project: Project) -> None:
    """build/validateLockfile.js; workspaces, whose root may have it, are not supported. Raises Failed."""
    if os.environ.get("EAS_BUILD_SKIP_LOCKFILE_CHECK") or any(name in project.files for name in _LOCK_FILES):
        return
    raise Failed(
        'No lockfile found in the project directory.\nRun your package manager\'s install command (e.g. "npm install") to generate '
        "one.\nTo skip this check, run this command with EAS_BUILD_SKIP_LOCKFILE_CHECK=1."
    )


def clean_tree(project: Project, say: Callable[[str], None]) -> None:
    """build/utils/repository.js: only for `cli.requireCommit`, and never under EAS_NO_VCS. Raises Failed."""
    if not project.cli.get("requireCommit") or os.environ.get("EAS_NO_VCS"):
        return
    changed = project.git("status", "--porcelain")
    if changed:
        say(
            "Warning! Your repository working tree is dirty.\nThis operation needs to be run on a clean working tree. Commit all your "
            f"changes before proceeding.\nThe following files need to be committed:\n{changed}"
        )
        raise Failed("Commit all changes. Aborting...")


def version_of_cli(project: Project) -> None:
    """`cli.version` of eas.json (commandUtils/…/findProjectDirAndVerifyProjectSetupAsync.js). Raises Failed."""
    constraint = project.cli.get("version")
    if not constraint or _true("EAS_SKIP_CLI_VERSION_CHECK"):
        return
    read = _CONSTRAINT.fullmatch(str(constraint).strip())
    if read is None:
        raise Failed(f'eas.json: the rehearsal reads cli.version as "1.2.3" or ">= 1.2.3", not {constraint!r}')
    here, wanted = _numbers(VERSION), _numbers(read[2])
    if here != wanted and not (read[1] and here > wanted):
        raise Failed(
            f"You are on eas-cli@{VERSION} which does not satisfy the CLI version constraint defined in eas.json ({constraint}).\n\n"
            "This error probably means that you need update your eas-cli to a newer version.\nRun npm install -g eas-cli to update the "
            "eas-cli to the latest version."
        )


def environment(project: Project, call: Call) -> None:
    """update/utils.js: from SDK 55 `--environment` must be given, but not where CI is set, as at GitHub, nor with --auto. Raises Failed."""
    sdk = _package(project, "expo")
    if call["environment"] is not None or call["auto"] or os.environ.get("CI") or os.environ.get("EAS_BUILD"):
        return
    if sdk is None or sdk < _ENVIRONMENT_FROM or _true("EAS_UPDATE_SKIP_ENVIRONMENT_CHECK"):
        return
    raise Failed(
        "The `--environment` flag must be set when running in `--non-interactive` mode. Default environments: development, preview, "
        "production."
    )


def updates(project: Project) -> None:
    """The real one installs expo-updates and writes app.json where they lack it (update/configure.js). Raises Failed."""
    if not project.config.get("updates", {}).get("url"):
        raise Failed("app.json: the rehearsal's eas does not configure updates: set expo.updates.url")
    if _package(project, "expo-updates") is None:
        raise Failed("package.json: the rehearsal's eas installs nothing: add expo-updates to dependencies")


def way_back_to_embedded(project: Project) -> None:
    """project/projectUtils.js. The real one looks into node_modules, so a job that goes back has to install the packages.

    Here the lock file tells. Raises Failed.
    """
    found = _package(project, "expo-updates")
    if found is None or found < _EMBEDDED_FROM:
        raise Failed(
            "The expo-updates package must have a version >= 0.19.0 to use roll back to embedded, which corresponds to Expo SDK 50 or "
            "greater. Learn more: https://docs.expo.dev/workflow/upgrading-expo-sdk-walkthrough/"
        )


def _package(project: Project, name: str) -> tuple[int, ...] | None:
    """Version of a dependency: what the lock file says, or what package.json asks for. None where it is no dependency."""
    asked = _json(project, "package.json").get("dependencies", {}).get(name)
    if asked is None:
        return None
    locked = _json(project, "package-lock.json").get("packages", {}).get(f"node_modules/{name}", {})
    return _numbers(str(locked.get("version", asked)))


def _json(project: Project, name: str) -> Mapping[str, Any]:
    try:
        document = json.loads(project.files.get(name, b"{}"))
    except ValueError as error:
        raise Failed(f"{name}: {error}") from error
    return document if isinstance(document, dict) else {}


def _numbers(version: str) -> tuple[int, ...]:
    found = _VERSION.search(version)
    return tuple(map(int, found.groups())) if found else ()


def _true(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true")
