"""The files of a build as a deployment needs them: names, sizes and SHA-1s."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import InputError
from pipelines.site_builds.source_maps import SOURCE_MAP

CONFIG_FILE = "config.json"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One file, known by the SHA-1 of its content (which is how Vercel names it)."""

    path: str
    content: bytes
    sha1: str

    @classmethod
    def of(cls, path: str, content: bytes) -> Upload:
        return cls(path=path, content=content, sha1=hashlib.sha1(content, usedforsecurity=False).hexdigest())


def uploads(folder: Path, config: Mapping[str, str]) -> list[Upload]:
    """The folder's files with `config` as its config.json, without source maps: whatever is deployed anybody can read, and they hold
    the sources. Raises InputError when there are none."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != SOURCE_MAP]
    found = [
        Upload.of(name, path.read_bytes())
        for path in paths
        if (name := path.relative_to(folder).as_posix()) != CONFIG_FILE
    ]
    if not found:
        raise InputError(
            f"{folder} holds no files",
            where=str(folder),
            why="the build did not run, or its artifact is empty",
            next_step="run the job that builds it again",
        )
    text = json.dumps(dict(config), indent=2, sort_keys=True) + "\n"
    return [*found, Upload.of(CONFIG_FILE, text.encode())]
