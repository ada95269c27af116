"""An image made by the instructions of a Dockerfile, on the stand-in for its base."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rehearsal.base_image import CONFIG, LAYER, MANIFEST, digest_of, document, stand_in_base, stored
from rehearsal.docker.context import Context
from rehearsal.docker.dockerfile import Instruction
from rehearsal.docker.layer import ROOT, Owner, tar

_PINNED = re.compile(r"(?P<path>[^\s:@]+)(?::(?P<tag>[\w.-]+))?@sha256:[0-9a-f]{64}")
_PORT = re.compile(r"\d{1,5}(?:/(?:tcp|udp))?")
_USER = re.compile(r"[a-z_][\w-]*|\d+(?::\d+)?")
# Folders that every base has, whatever else is in it: COPY to one of them puts the file into it.
_OF_BASE = frozenset({"bin", "etc", "home", "lib", "opt", "root", "sbin", "srv", "tmp", "usr", "usr/local", "var"})
_USERS = {"root": ROOT, "node": Owner(uid=1000, gid=1000)}


@dataclass(kw_only=True)
class Image:
    """Under way: `settings` is the container's configuration, `folders` what is known to be one."""

    context: Context
    time: int
    settings: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    own_command: bool = False
    folders: set[str] = field(default_factory=lambda: set(_OF_BASE))
    blobs: list[bytes] = field(default_factory=list)
    diff_ids: list[str] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def created(self) -> str:
        return datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def carry_out(self, instruction: Instruction) -> None:
        """One instruction. Raises Refused."""
        allowed = {"FROM": {"platform"}, "COPY": {"chown"}}.get(instruction.word, set())
        for flag in instruction.flags:
            if flag not in allowed:
                raise instruction.refused(f"--{flag} is not supported")
        getattr(self, f"_{instruction.word.lower()}")(instruction)

    def _from(self, instruction: Instruction) -> None:
        if instruction.flags.get("platform", "linux/amd64") != "linux/amd64":
            raise instruction.refused("only linux/amd64 is supported")
        words = instruction.words()
        if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
            raise instruction.refused("it has the form FROM image@sha256:… [AS name]")
        match = _PINNED.fullmatch(words[0])
        if match is None:
            raise instruction.refused(
                "the base is not pinned: write name:tag@sha256:…, so that it cannot change unseen"
            )
        base = stand_in_base(_version(match["tag"] or ""), _program(match["path"], instruction))
        config = json.loads(base.config)
        self.settings = dict(config["config"])
        self.env = dict(pair.split("=", 1) for pair in self.settings.pop("Env"))
        self.labels = dict(self.settings.pop("Labels"))
        self.blobs, self.diff_ids = [base.layer], list(config["rootfs"]["diff_ids"])
        self.history = [{"created": self.created, "created_by": f"FROM {words[0]} (a stand-in)"}]

    def _workdir(self, instruction: Instruction) -> None:
        words = instruction.words()
        if len(words) != 1:
            raise instruction.refused("it names one folder")
        self.folder = posixpath.normpath(posixpath.join(self.folder, words[0]))
        if self.folder.strip("/") not in {*self.folders, ""}:
            self._layer(instruction, {self.folder.strip("/"): None}, ROOT)
        else:
            self._note(instruction)

    def _copy(self, instruction: Instruction) -> None:
        words = instruction.words()
        if len(words) < 2:
            raise instruction.refused("it needs a source and a destination")
        *sources, target = words
        matched = [(source, key) for source in sources for key in self._matched(instruction, source)]
        into = target.endswith("/") or posixpath.basename(target) in (".", "..")
        if len(matched) > 1 and not into:
            raise instruction.refused("with more than one source the destination must be a folder and end with /")
        place = posixpath.normpath(posixpath.join(self.folder, target)).strip("/")
        files: dict[str, Path | None] = {}
        for _, key in matched:
            if self.context.is_folder(key):
                files |= {posixpath.join(place, name): path for name, path in self.context.below(key).items()}
            elif self.context.paths[key].is_symlink():
                raise instruction.refused("a symbolic link as the source is not supported: name the file")
            else:
                inside = into or not place or place in self.folders
                files[posixpath.join(place, posixpath.basename(key)) if inside else place] = self.context.paths[key]
        self._layer(instruction, files, self._owner(instruction))

    def _matched(self, instruction: Instruction, source: str) -> list[str]:
        if ".." in source.split("/"):
            raise instruction.refused(f"{source} leads out of the context")
        found = self.context.match(source)
        if not found:
            raise instruction.refused(
                f'"/{source.lstrip("/")}": not found in the context (or .dockerignore leaves it out)'
            )
        return found

    def _owner(self, instruction: Instruction) -> Owner:
        text = instruction.flags.get("chown", "root")
        names = text.split(":")
        owners = [
            _USERS.get(name) or (Owner(uid=int(name), gid=int(name)) if name.isdigit() else None) for name in names
        ]
        if len(owners) > 2 or None in owners:
            raise instruction.refused(f"--chown={text}: only numbers, root and node are supported")
        first, last = owners[0] or ROOT, owners[-1] or ROOT
        return Owner(uid=first.uid, gid=last.gid)

    def _env(self, instruction: Instruction) -> None:
        self.env |= instruction.pairs()
        self._note(instruction)

    def _label(self, instruction: Instruction) -> None:
        self.labels |= instruction.pairs()
        self._note(instruction)

    def _expose(self, instruction: Instruction) -> None:
        ports = instruction.words()
        if not all(_PORT.fullmatch(port) for port in ports):
            raise instruction.refused("only port or port/protocol is supported")
        named: dict[str, Any] = {port if "/" in port else f"{port}/tcp": {} for port in ports}
        self.settings["ExposedPorts"] = {**self.settings.get("ExposedPorts", {}), **named}
        self._note(instruction)

    def _user(self, instruction: Instruction) -> None:
        if not _USER.fullmatch(instruction.text):
            raise instruction.refused("only a name, a number or number:number is supported")
        self.settings["User"] = instruction.text
        self._note(instruction)

    def _cmd(self, instruction: Instruction) -> None:
        self.settings["Cmd"] = instruction.strings()
        self.own_command = True
        self._note(instruction)

    def _entrypoint(self, instruction: Instruction) -> None:
        self.settings["Entrypoint"] = instruction.strings()
        # What the base would have run is no argument of ours.
        if not self.own_command:
            self.settings.pop("Cmd", None)
        self._note(instruction)

    def _layer(self, instruction: Instruction, files: dict[str, Path | None], owner: Owner) -> None:
        content = tar(files, owner, self.time)
        self.blobs.append(stored(content))
        self.diff_ids.append(digest_of(content))
        self.history.append({"created": self.created, "created_by": f"{instruction.word} {instruction.text}"})
        for name, source in files.items():
            below = name.split("/")
            self.folders |= {"/".join(below[:depth]) for depth in range(1, len(below))}
            if source is None or (source.is_dir() and not source.is_symlink()):
                self.folders.add(name)

    def _note(self, instruction: Instruction) -> None:
        created_by = f"{instruction.word} {instruction.text}"
        self.history.append({"created": self.created, "created_by": created_by, "empty_layer": True})

    def documents(self, labels: Mapping[str, str]) -> tuple[bytes, bytes]:
        """Manifest and configuration, with labels of the command line on top."""
        settings = self.settings | {
            "Env": [f"{name}={value}" for name, value in self.env.items()],
            "Labels": {**self.labels, **labels},
            "WorkingDir": self.folder,
        }
        config = document(
            {
                "architecture": "amd64",
                "os": "linux",
                "created": self.created,
                "config": settings,
                "history": self.history,
                "rootfs": {"type": "layers", "diff_ids": self.diff_ids},
            }
        )
        # BuildKit says by this annotation that it rewrote the times in a layer.
        rewritten: dict[str, Any] = {"annotations": {"buildkit/rewritten-timestamp": str(self.time)}}
        layers = [described(blob, LAYER) | rewritten for blob in self.blobs]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described(config, CONFIG),
            "layers": layers,
        }
        return document(manifest), config


def described(content: bytes, kind: str) -> dict[str, Any]:
    """A descriptor."""
    return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}


def _version(tag: str) -> str:
    match = re.match(r"\d+(?:\.\d+)*", tag)
    return match[0] if match else ""


def _program(path: str, instruction: Instruction) -> Literal["python", "node"]:
    name = posixpath.basename(path)
    if name == "python":
        return "python"
    if name == "node":
        return "node"
    raise instruction.refused("there are stand-ins for bases called python and node, and for no other")
