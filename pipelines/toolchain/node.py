"""Trees of Node modules: installed once for each lock file, kept in the home, and linked into the checkout."""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path

from pipelines.toolchain import home as homes
from pipelines.toolchain.command import run

SOURCES = ("package.json", "package-lock.json", ".npmrc")
NEXT = "read npm's words above; `npm ci` in that folder shows the whole log"
NO_NODE = "install Node 20 or newer: apt-get install nodejs npm, or https://nodejs.org/en/download"


def ensure(folder: Path, home: Path, say: homes.Say) -> None:
    """`folder/node_modules` as its lock file says. A real folder of that name is its owner's: it stays. Raises LocalError."""
    link = folder / "node_modules"
    if not has_modules(folder):
        return
    if link.is_dir() and not link.is_symlink():
        say(f"node      {folder.parent.name}/{folder.name}/node_modules was not made by this set-up: left as it is")
        return
    tree = home / "trees" / homes.digest([folder / name for name in SOURCES], _node_version())[:16]
    if not tree.is_dir():
        say(f"node      npm ci for {folder.parent.name}/{folder.name}")
        with homes.replacing(tree) as fresh:
            _install(folder, fresh)
    _link(link, tree / "node_modules")


def has_modules(folder: Path) -> bool:
    """Whether modules are locked, and so installed. A project whose tests are plain Node needs none, whatever its app depends on."""
    return (folder / "package-lock.json").is_file()


def fits(folder: Path, home: Path) -> bool:
    """Whether the modules of `folder` are linked and of its present lock file; starts no process."""
    if not has_modules(folder):
        return True
    link = folder / "node_modules"
    if not link.is_symlink():
        return link.is_dir()
    tree = link.resolve().parent
    return tree.is_dir() and all(_same(folder / name, tree / name) for name in SOURCES)


def _same(one: Path, other: Path) -> bool:
    return (one.read_bytes() if one.is_file() else b"") == (other.read_bytes() if other.is_file() else b"")


def _install(folder: Path, into: Path) -> None:
    for name in SOURCES:
        if (folder / name).is_file():
            shutil.copy(folder / name, into / name)
    # Scripts of packages do not run: nothing here needs one, and a stolen package would.
    asked = ["npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"]
    run(asked, doing=f"install the modules of {folder}", next_step=NEXT, cwd=into)
    (into / "node_modules").mkdir(exist_ok=True)


def _link(link: Path, target: Path) -> None:
    """Swapped in one step, so that a build that runs meanwhile always finds modules."""
    if link.is_symlink() and link.readlink() == target:
        return
    fresh = link.with_name(f".node_modules-{os.getpid()}")
    fresh.symlink_to(target)
    fresh.replace(link)


@cache
def _node_version() -> str:
    """Its major version and platform: native modules differ by both."""
    result = run(["node", "-p", "process.versions.node.split('.')[0] + process.platform + process.arch"],
               doing="look for Node", next_step=NO_NODE)  # fmt: skip
    return result.strip()
