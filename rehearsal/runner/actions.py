"""Where the actions of a job come from: stand-ins for public ones, our own GitHub for the rest."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from rehearsal.runner.expressions import Scope, interpolate_all
from rehearsal.runner.functions import ExpressionError
from rehearsal.runner.mirrors import FetchError, Mirrors, Source
from rehearsal.runner.values import to_string

STAND_INS = Path(__file__).parent / "stand_ins"
PROGRAMS = STAND_INS / "programs"
"""Programs that GitHub's runners have and this machine may lack; first on the PATH of every job."""
FILES = ("action.yml", "action.yaml")
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
        """As act's --local-repository requires it."""
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
    """The folder of the stand-in for a public action, if there is one."""
    found = folder / action.repository
    return found if (found / action.path / "action.yml").is_file() else None


def uses_in(steps: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(step["uses"]) for step in steps if step.get("uses")]


@lru_cache(maxsize=256)
def used_by(action_text: str) -> tuple[str, ...]:
    """What a composite action uses in turn. Every job of a repository resolves the same few actions."""
    try:
        action = yaml.load(action_text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}  # noqa: S506 - a safe loader
    except yaml.YAMLError:
        return ()  # act names the place when it comes to run the action
    runs = action.get("runs") or {}
    return tuple(uses_in(runs.get("steps") or ())) if isinstance(runs, dict) else ()


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A commit in the workspace, and where: what `./path` in a later step refers to."""

    repository: str
    ref: str
    folder: str = "."

    def path_of(self, local: str) -> str | None:
        """The path inside the repository that `./…` means, if it is under this checkout."""
        path = posixpath.relpath(posixpath.normpath(local), posixpath.normpath(self.folder))
        return None if path.startswith("..") else path


def checkouts(steps: Iterable[Mapping[str, Any]], scope: Scope, repository: str, sha: str) -> list[Checkout]:
    """What the checkout steps bring; the event's commit for one whose `ref` is only known when it runs."""
    found = []
    for step in steps:
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            try:
                given = interpolate_all(dict(step.get("with") or {}), scope)
            except ExpressionError:
                given = {}
            ref, folder = to_string(given.get("ref")), to_string(given.get("path")) or "."
            of = to_string(given.get("repository")) or repository
            found.append(Checkout(repository=of, ref=ref or (sha if of == repository else "HEAD"), folder=folder))
    return list(dict.fromkeys(found))


class ActionResolver:
    """Finds every action a job can reach, before act starts: act would stop the whole job at the first unknown one."""

    def __init__(self, mirrors: Mirrors) -> None:
        self._mirrors = mirrors

    async def resolve(
        self, steps: Iterable[Mapping[str, Any]], workspace: list[Checkout], source_of: SourceOf
    ) -> Resolution:
        """`workspace` is where `./` points; `source_of` raises LookupError for what GitHub does not hold."""
        search = _Search(self._mirrors, workspace, source_of)
        waiting = uses_in(steps)
        seen: set[str] = set()
        while waiting and len(seen) < MAX_ACTIONS:
            uses = waiting.pop()
            if uses not in seen:
                seen.add(uses)
                waiting += await search.look(uses)
        return search.found


class _Search:
    """One resolution under way."""

    def __init__(self, mirrors: Mirrors, workspace: list[Checkout], source_of: SourceOf) -> None:
        self.found = Resolution()
        self._mirrors = mirrors
        self._workspace = workspace
        self._source_of = source_of

    async def look(self, uses: str) -> list[str]:
        """Resolve one `uses`; what that action uses in turn."""
        if uses.startswith("docker://"):
            self.found.problems.append(f"`uses: {uses}` needs a container engine: this path is not rehearsed.")
            return []
        if uses.startswith("./"):
            return [inner for checkout in self._workspace for inner in await self._local(uses, checkout)]
        try:
            action = reference(uses)
        except ValueError as error:
            self.found.problems.append(str(error))
            return []
        return await self._remote(action) if action is not None else []

    async def _local(self, uses: str, checkout: Checkout) -> list[str]:
        folder = checkout.path_of(uses)
        if folder is None:
            return []
        candidates = [posixpath.join(folder, name) for name in FILES]
        try:
            source = self._source_of(checkout.repository)
            texts = await self._mirrors.read(source, await self._mirrors.fetch(source, checkout.ref), candidates)
        except (FetchError, LookupError) as error:
            self.found.notes.append(f"{uses} could not be looked up in {checkout.repository}@{checkout.ref}: {error}")
            return []
        return [inner for text in texts.values() for inner in used_by(text)]

    async def _remote(self, action: Reference) -> list[str]:
        folder = stand_in(action) or await self._from_our_github(action)
        if folder is None:
            return []
        self.found.folders[action.key] = folder
        files = [folder / action.path / name for name in FILES]
        return [inner for file in files if file.is_file() for inner in used_by(file.read_text())]

    async def _from_our_github(self, action: Reference) -> Path | None:
        try:
            source = self._source_of(action.repository)
            return await self._mirrors.export(source, await self._mirrors.fetch(source, action.ref))
        except (LookupError, FetchError) as error:
            known = ", ".join(sorted(str(path.parent.relative_to(STAND_INS)) for path in STAND_INS.rglob("action.yml")))
            name = "/".join(part for part in (action.repository, action.path) if part)
            self.found.problems.append(
                f"{name}@{action.ref} has no stand-in, and this GitHub does not have {action.repository} ({error}). "
                f"Actions with a stand-in: {known}."
            )
            return None
