"""From what a person asked for to the version and the section that are meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.errors import InputError, ReleaseError
from release.changelog.sections import Section, section_next, section_of
from release.context import ReleaseContext
from release.refusals import TagMoved
from release.versions.tags import Released, highest
from release.versions.wording import why_decision

if TYPE_CHECKING:
    from semver import Version


def section_for(context: ReleaseContext, channel: str | None = None) -> Section:
    """The section of the context's version, tagged or to come; without one of what comes next, else of the version on the commit.

    It tells what users get since what they have: where GitHub can be asked, releases count that were published and not withdrawn.

    Raises InputError, TagMoved, and ReleaseError when there is nothing at all.
    """
    repository = context.repository
    if repository.published is None:
        context.look_up_published()
    if context.version:
        named = repository.format.read(context.version)
        tagged = _tagged(repository.released, named)
        if tagged is None:
            return section_next(repository, named)
        _require_there(context, tagged)
        return section_of(repository, tagged)
    decision = repository.decide(channel)
    if decision.version is not None:
        return section_next(repository, decision.version)
    here = [each for each in repository.released if each.commit == repository.commit]
    if not here:
        raise ReleaseError(
            f"nothing to release: {why_decision(decision)}",
            next_step="shipmate release next --explain says why each commit does not count",
        )
    return section_of(repository, max(here, key=lambda each: each.rank))


def _tagged(released: Sequence[Released], named: Version) -> Released | None:
    """The release of a version. SemVer calls versions equal that differ in their build; which of them is meant, the build says."""
    equal = [each for each in released if each.version == named]
    exact = next((each for each in equal if each.version.build == named.build), None)
    return exact if exact is not None or named.build else highest(equal)


def _require_there(context: ReleaseContext, tagged: Released) -> None:
    """A commit named together with a version must be the one its tag is on, and in this clone."""
    if tagged.commit in context.repository.absent:
        raise InputError(
            f"{tagged.tag} is on {tagged.commit[:9]}, which is not in this clone",
            where=tagged.tag,
            why="it was released since this clone last fetched",
            next_step="git fetch --tags origin",
        )
    if context.commit and context.repository.commit != tagged.commit:
        raise TagMoved(
            f"{tagged.tag} is on {tagged.commit[:9]}, not on {context.repository.commit[:9]}",
            where=tagged.tag,
            why="the tag was moved, or made on another commit",
            next_step=f"release {tagged.commit[:9]}, or give the other commit the next version; a tag is never moved",
        )
