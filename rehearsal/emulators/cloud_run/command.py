"""What to execute for an image: its entry point, carried over from its file system to ours.

The image's own layers are unpacked in a folder, without a container around it, so absolute paths of the image
(`/app/main.py`) are rewritten to that folder, in the entry point, the arguments, the working directory and the values
of variables, wherever a path begins a word or follows one of `:=,;`. Only paths whose first part the image has are
taken for paths. `python`, `python3` and `python3.11`, from whatever folder, mean the world's interpreter (see
interpreter.py), and so does `node`; `sh` is the machine's; everything else must be a file of the image.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.emulators.cloud_run.interpreter import Interpreters

_NODE = frozenset({"node", "nodejs"})
_PYTHON = re.compile(r"python(3(\.\d+)?)?")
_SYSTEM_PATH = "/usr/bin:/bin"
_STAND_IN = frozenset({"etc", "tmp"})
"""Folders that stay the machine's: their contents in an image are configuration of a container that is not there."""


class NotExecutable(Exception):
    """The entry point names nothing that can be run; the message says what was looked for."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """Ready for exec: `env` is complete but for what differs from instance to instance."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path


def command(config: Mapping[str, Any], container: Mapping[str, Any], root: Path, interpreters: Interpreters) -> Command:
    """From the image's configuration and the container of a template, which may override entry point and arguments.

    `root` is where the image's files are. Raises NotExecutable.
    """
    moved = Relocation(root)
    env = {key: moved(value) for key, value in _pairs(config.get("Env") or [])}
    env |= {v["name"]: moved(v["value"]) for v in container.get("env", []) if "value" in v}
    search = [path for path in env.get("PATH", "").split(":") if path.startswith(f"{root}/")]
    own = [str(program.parent) for program in (interpreters.python, interpreters.node) if program is not None]
    env["PATH"] = ":".join([*own, *search, _SYSTEM_PATH])
    words = [moved(word) for word in _words(config, container)]
    if not words:
        raise NotExecutable("the image has neither an entry point nor a command")
    cwd = Path(moved(container.get("workingDir") or config.get("WorkingDir") or "") or root)
    if not cwd.is_relative_to(root):
        cwd = root
    cwd.mkdir(parents=True, exist_ok=True)
    return Command(argv=(*_program(words[0], root, search, interpreters), *words[1:]), env=env, cwd=cwd)


class Relocation:
    """Rewrites the image's absolute paths in a text."""

    def __init__(self, root: Path) -> None:
        self._root = root
        tops = sorted(path.name for path in root.iterdir() if path.name not in _STAND_IN)
        names = "|".join(re.escape(top) for top in tops)
        self._path = re.compile(rf"(^|[\s:=,;'\"(])/({names})(?=$|[/\s:,;'\")])") if tops else None

    def __call__(self, text: str) -> str:
        if self._path is None:
            return text
        return self._path.sub(lambda match: f"{match[1]}{self._root}/{match[2]}", text)


def _words(config: Mapping[str, Any], container: Mapping[str, Any]) -> list[str]:
    # As Kubernetes has it: a command replaces the entry point and drops the image's arguments.
    if container.get("command"):
        return [*container["command"], *container.get("args", [])]
    arguments = container.get("args") or config.get("Cmd") or []
    return [*(config.get("Entrypoint") or []), *arguments]


def _program(word: str, root: Path, search: list[str], interpreters: Interpreters) -> tuple[str, ...]:
    if _PYTHON.fullmatch(Path(word).name):
        return (str(interpreters.python),)
    if Path(word).name in _NODE:
        return (_node(interpreters),)
    if word in ("sh", "/bin/sh"):
        return ("/bin/sh",)
    found = word if word.startswith(f"{root}/") else shutil.which(word, path=":".join(search)) if search else None
    if found is None or not Path(found).is_file():
        raise NotExecutable(
            f"exec: \"{word.replace(str(root), '')}\": no such file in the image's own layers, and of the base's programs "
            "only python, node and sh are emulated here"
        )
    with Path(found).open("rb") as file:
        first = file.readline(256)
    # A script's own #! line names a path of the image.
    if first.startswith(b"#!") and b"python" in first:
        return (str(interpreters.python), found)
    if first.startswith(b"#!") and b"node" in first:
        return (_node(interpreters), found)
    return (found,)


def _node(interpreters: Interpreters) -> str:
    if interpreters.node is None:
        raise NotExecutable('exec: "node": this machine has no node to run the image with')
    return str(interpreters.node)


def _pairs(env: list[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (entry.partition("=") for entry in env)]
