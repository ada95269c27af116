"""What is to be published: what the caller gave, what GitHub holds from before, and the files and notes made of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from release.changelog.sections import Section
from release.changelog.writing import Given
from release.context import ReleaseContext
from release.publishing.assets import NOTES, collect, prepare, sbom_names
from release.publishing.existing import ExistingRelease, find_existing, given_of
from release.publishing.forge import File, Forge, ForgeRelease
from release.publishing.state import notes_in

LONGEST_BODY = 120_000
"""Characters; GitHub refuses notes over 125,000."""


@dataclass(frozen=True, kw_only=True)
class PublishRequest:
    """What to publish a version with, and how; the version itself is the context's."""

    channel: str | None = None
    given: Given = field(default_factory=Given)
    prepared: Path | None = None
    """A folder `release assets` wrote."""
    files: Sequence[Path] = ()
    evidence: Sequence[Path] = ()
    then_dispatch: Sequence[str] = ()
    take_over: bool = False
    live: bool = False
    """Users have it: what should have kept it from them is reported, and refuses no more."""
    again: bool = False
    """It was released before, and that release was deleted: it may be lower than what came after it."""
    by_hand: bool = False
    """A person asks, not a delivery: what the manifest says was delivered must have been live."""

    @property
    def bare(self) -> bool:
        """No content is given: what GitHub holds already is what is meant."""
        return not (self.prepared or self.files or self.evidence or self.given.deploys or self.given.highlights)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a release shall consist of."""

    notes: str
    files: Sequence[File]
    given: Mapping[str, Any]
    finished: ForgeRelease | None = None
    """The release, when it is out with all its files and nothing else was asked for: then there is nothing to prepare."""


def contents_of(
    context: ReleaseContext, section: Section, request: PublishRequest, stack: ExitStack, forge: Forge, since: str
) -> Contents:
    """What was prepared before, or prepared now from what is given and what GitHub holds."""
    sboms, folder, bare = sbom_names(context), request.prepared, request.bare
    if folder is None:
        existing = find_existing(forge, section.tag, section.commit, since, sboms)
        if existing is not None and existing.finished and bare:
            return Contents(notes=notes_in(existing.entry), files=(), given={}, finished=existing.entry)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="shipmate-release-")))
        request = _with_existing(request, existing, folder, forge) if existing is not None else request
        kept = existing.notes if existing is not None and bare else ""
        prepare(context, section, folder, request.given, files=request.files, evidence=request.evidence, kept=kept)
    files = collect(folder, section.tag, section.commit)
    given = given_of(folder, sboms, request.given.highlights)
    return Contents(notes=(folder / NOTES).read_text(), files=files, given=given)


def _with_existing(request: PublishRequest, existing: ExistingRelease, folder: Path, forge: Forge) -> PublishRequest:
    """What is given now, and beside it what GitHub holds from before."""
    now = {path.name for path in (*request.files, *request.evidence)}
    files = existing.fetch(forge, [name for name in existing.files if name not in now], folder, "--asset")
    evidence = existing.fetch(forge, [name for name in existing.evidence if name not in now], folder, "--evidence")
    given = replace(
        request.given,
        deploys=request.given.deploys or existing.deploys,
        highlights=request.given.highlights or existing.highlights,
    )
    return replace(request, given=given, files=[*request.files, *files], evidence=[*request.evidence, *evidence])


def shortened(notes: str) -> str:
    """Notes that GitHub accepts: cut at a line where they are too long, and saying so."""
    if len(notes) <= LONGEST_BODY:
        return notes
    cut = notes.rfind("\n", 0, LONGEST_BODY)
    return f"{notes[:cut]}\n\n**Cut here: the whole is in {NOTES} below.**\n"
