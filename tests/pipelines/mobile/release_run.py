"""A run of mobile-release.yml: what its jobs came to, the artifacts they hand on, and the process that dies at a write."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.http import Http
from rehearsal.runner.model import Run
from tests.memory_hosts import Killed, Writes


class Deaths(Writes):
    """Every write to the outside. Armed, the process dies at the first that it did not die at yet, before or after its effect."""

    armed: bool = False

    def __init__(self) -> None:
        super().__init__()
        self.died: set[tuple[str, bool]] = set()

    @contextmanager
    def one(self, what: str) -> Iterator[None]:
        name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|(?<![a-z])\d+", "#", what)
        self.seen.append(name)
        dies = (
            next((each for each in ((name, False), (name, True)) if each not in self.died), None)
            if self.armed
            else None
        )
        if dies is not None:
            self.died.add(dies)
        if dies == (name, False):
            raise Killed(what)
        yield
        if dies is not None:
            raise Killed(what)


class CountedHttp(Http):
    """Our client, whose writes are counted with GitHub's."""

    writes: Writes

    def request(self, method: str, url: str, **options: Any) -> Any:
        if method in ("GET", "HEAD"):
            return super().request(method, url, **options)
        with self.writes.one(f"{method} {url.partition('?')[0]}"):
            return super().request(method, url, **options)


@dataclass
class Flow:
    """A run of the workflow. `failed` leaves no output; a job that was not run has no result."""

    run: Run
    tag: str
    commit: str
    folder: Path
    inputs: dict[str, str] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    legs: dict[str, dict[str, str]] = field(default_factory=dict)
    """Job -> platform -> result."""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)

    @property
    def needs(self) -> dict[str, Any]:
        return {key: {"result": result, "outputs": self.outputs.get(key, {})} for key, result in self.results.items()}


def upload(flow: Flow, given: Mapping[str, Any], workspace: Path) -> dict[str, str] | None:
    source, kept = workspace / given["path"], flow.folder / given["name"]
    if not source.exists():
        return {} if given["if-no-files-found"] == "ignore" else None
    assert given["overwrite"] or not kept.exists(), "an artifact of one name is refused"
    shutil.rmtree(kept, ignore_errors=True)
    if source.is_dir():
        shutil.copytree(source, kept)
    else:
        kept.mkdir()
        shutil.copy(source, kept)
    flow.artifacts[given["name"]] = kept
    return {}


def download(flow: Flow, given: Mapping[str, Any], workspace: Path) -> dict[str, str] | None:
    if "name" in given and given["name"] not in flow.artifacts:
        return None
    start = given["name"] if "name" in given else given["pattern"].removesuffix("*")
    for name, folder in flow.artifacts.items():
        if name == start or ("pattern" in given and name.startswith(start)):
            shutil.copytree(folder, workspace / given["path"], dirs_exist_ok=True)
    return {}
