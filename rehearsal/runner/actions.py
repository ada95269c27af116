"""Where the actions of a job come from: stand-ins for public ones, our own GitHub for the rest."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rehearsal.runner.mirrors import FetchError, Mirrors, Source

STAND_INS = Path(__file__).parent / "stand_ins"
SourceOf = Callable[[str], Source]
MAX_ACTIONS = 200
"""Bound on actions that use actions."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """`owner/name/path@ref`, taken apart."""

    repository: str
    path: str
    ref: str

    @property
    def key(self) -> str:
        """As act's --local-repository wants it."""
        return f"{self.repository}@{self.ref}"


@dataclass(kw_only=True)
class Resolution:
    """Folders by reference, and what could not be had, each in words for the log."""

    folders: dict[str, Path] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def reference(uses: str) -> Reference | None:
    """A remote action; None for local (`./`) and docker (`docker://`) ones. Raises ValueError without `@ref`."""
    if uses.startswith(("./", "docker://")):
        return None
    name, at, ref = uses.partition("@")
    parts = name.split("/")
    if not at or not ref or len(parts) < 2:
        raise ValueError(f"`uses: {uses}` is not of the form owner/name@ref")
    return Reference(repository="/".join(parts[:2]), path="/".join(parts[2:]), ref=ref)


def stand_in(action: Reference, folder: Path = STAND_INS) -> Path | None:
    """The folder that plays a public action, if there is one."""
    found = folder / action.repository
    return found if (found / action.path / "action.yml").is_file() else None


def uses_in(steps: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(step["uses"]) for step in steps if step.get("uses")]


def used_by(action_text: str) -> list[str]:
    """What a composite action uses in turn."""
    try:
        action = yaml.safe_load(action_text) or {}
    except yaml.YAMLError:
        return []  # act names the place when it comes to run the action
    runs = action.get("runs") or {}
    return uses_in(runs.get("steps") or ()) if isinstance(runs, dict) else []


class ActionResolver:
    """Finds every action a job can reach, before act starts: act would stop the whole job at the first unknown one."""

    def __init__(self, mirrors: Mirrors) -> None:
        self._mirrors = mirrors

    async def resolve(
        self, steps: Iterable[Mapping[str, Any]], repository: str, sha: str, source_of: SourceOf
    ) -> Resolution:
        """`repository` and `sha` are where `./` points; `source_of` raises LookupError for what GitHub does not hold."""
        found = Resolution()
        waiting = uses_in(steps)
        seen: set[str] = set()
        while waiting and len(seen) < MAX_ACTIONS:
            uses = waiting.pop()
            if uses not in seen:
                seen.add(uses)
                waiting += await self._one(uses, repository, sha, found, source_of)
        return found

    async def _one(self, uses: str, repository: str, sha: str, found: Resolution, source_of: SourceOf) -> list[str]:
        """Resolve one `uses`; what that action uses in turn."""
        if uses.startswith("docker://"):
            found.problems.append(f"`uses: {uses}` needs a container engine: this path is not rehearsed.")
            return []
        if uses.startswith("./"):
            return await self._local(uses, sha, found, lambda: source_of(repository))
        try:
            action = reference(uses)
        except ValueError as error:
            found.problems.append(str(error))
            return []
        return await self._remote(action, found, source_of) if action is not None else []

    async def _local(self, uses: str, sha: str, found: Resolution, source_here: Callable[[], Source]) -> list[str]:
        folder = posixpath.normpath(uses)
        candidates = [posixpath.join(folder, name) for name in ("action.yml", "action.yaml")]
        try:
            source = source_here()
            commit = await self._mirrors.fetch(source, sha)
            texts = await self._mirrors.read(source, commit, candidates)
        except (FetchError, LookupError) as error:
            found.notes.append(f"{uses} could not be looked up at {sha}: {error}")
            return []
        return [inner for text in texts.values() for inner in used_by(text)]

    async def _remote(self, action: Reference, found: Resolution, source_of: SourceOf) -> list[str]:
        folder = stand_in(action)
        if folder is None:
            folder = await self._from_our_github(action, found, source_of)
        if folder is None:
            return []
        found.folders[action.key] = folder
        files = [folder / action.path / name for name in ("action.yml", "action.yaml")]
        return [inner for file in files if file.is_file() for inner in used_by(file.read_text())]

    async def _from_our_github(self, action: Reference, found: Resolution, source_of: SourceOf) -> Path | None:
        try:
            source = source_of(action.repository)
            return await self._mirrors.export(source, await self._mirrors.fetch(source, action.ref))
        except (LookupError, FetchError) as error:
            known = ", ".join(sorted(str(path.parent.relative_to(STAND_INS)) for path in STAND_INS.rglob("action.yml")))
            name = "/".join(part for part in (action.repository, action.path) if part)
            found.problems.append(
                f"{name}@{action.ref} has no stand-in, and this GitHub does not have {action.repository} ({error}). "
                f"Actions with a stand-in: {known}."
            )
            return None
