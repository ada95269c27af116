"""The notes of one release, with everything gathered that they list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase as fnmatch
from functools import partial

from pipelines.manifest.release import ReleaseComponent
from release.changelog import built_in
from release.changelog.contributors import authors_before, contributors
from release.changelog.credits import Credits, look_up
from release.changelog.entries import Printer
from release.changelog.markdown import Safe, escape
from release.changelog.migrations import Migration, new_migrations
from release.changelog.notes import NotesData, notes
from release.changelog.sections import Section
from release.changelog.templating import load
from release.context import ReleaseContext


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the caller knows and git does not."""

    deploys: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    highlights: Sequence[str] = ()


def write_notes(context: ReleaseContext, section: Section, given: Given, *, online: bool = True) -> str:
    """The notes of a section. Asks GitHub for credits when it can; what is deployed is known to the caller alone."""
    repository = context.repository
    commits = [verdict.commit for verdict in section.own]
    base = section.previous.commit if section.previous else ""
    github = context.github_if_any() if online else None
    cache = repository.head.git_dir / "shipmate"
    credits = look_up(github, commits, base, section.commit, cache) if online else _OFFLINE
    pulls = {**_pulls(section), **credits.pulls}
    before = partial(authors_before, context.git, base) if base else None
    people = contributors(commits, credits.logins, pulls, before, credits.openers)
    own = context.own_template("notes")
    authors: dict[str, Safe] = {name: escape(login) for name, login in credits.logins.items()}
    return notes(
        section,
        credits,
        people,
        NotesData(
            deploys=given.deploys,
            migrations=migrations_of(context, section),
            checksums=given.checksums,
            highlights=given.highlights,
        ),
        fill=load(own) if own is not None else built_in.notes,
        printer=Printer(context.web, authors, credits.pulls),
        order=repository.rules.groups,
    )


def migrations_of(context: ReleaseContext, section: Section) -> list[Migration]:
    """From the folder the release component names, else from those of the manifest's components that lie in its paths."""
    component = context.repository.component
    folders = [component.migrations]
    if not folders[0] and context.manifest is not None:
        named = [each.migrations for each in context.manifest.components.values() if each.migrations]
        folders = [folder for folder in named if _holds(component, folder)]
    previous = section.previous.commit if section.previous else None
    return [
        found
        for folder in dict.fromkeys(folders)
        for found in new_migrations(context.git, folder, section.commit, previous)
    ]


def _holds(component: ReleaseComponent, folder: str) -> bool:
    """Whether a folder belongs to a release component, by its paths."""
    inside = not component.paths or any(_within(folder, path) for path in component.paths)
    return inside and not any(_within(folder, path) for path in component.exclude)


def _within(folder: str, path: str) -> bool:
    """Whether a folder lies in a path, which may end in `/**` and hold wildcards, as git's do."""
    place = path.removesuffix("**").removesuffix("*").rstrip("/")
    lies = folder.rstrip("/")
    return place in ("", ".") or fnmatch(lies, place) or fnmatch(lies, f"{place}/*")


def _pulls(section: Section) -> dict[str, int]:
    """Pull requests that the messages themselves name."""
    return {entry.commit.hash: entry.pull for verdict in section.verdicts for entry in verdict.entries if entry.pull}


_OFFLINE = Credits(lacks=("pull requests and logins GitHub alone knows: it was not asked (--offline)",))
