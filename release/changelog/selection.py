"""From what a person asked for to the version and the section that are meant."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.errors import InputError, ReleaseError
from release.changelog.sections import Section, section_next, section_of
from release.context import Workplace
from release.refusals import TagMoved
from release.versions.decision import Decision, decide
from release.versions.tags import Released, channel_of_branch, check_channel


def decision_of(workplace: Workplace, channel: str | None) -> Decision:
    """The next version on the channel said, or on the one of the branch; `''` asks for a final release."""
    repository = workplace.repository
    chosen = channel if channel is not None else channel_of_branch(repository.branch, workplace.rules)
    if chosen:
        check_channel(chosen, workplace.rules)
    return decide(repository.facts(), workplace.rules, repository.component, channel=chosen)


def section_for(workplace: Workplace, version: str | None, channel: str | None = None) -> Section:
    """The section of a version that is tagged, of one that is to come, or of what comes next; of the version on the commit
    when nothing does. Raises InputError, TagMoved, and ReleaseError when there is nothing at all."""
    workplace.mean(version)
    repository = workplace.repository
    if version:
        named = repository.format.read(version)
        tagged = next((each for each in repository.released if each.version == named), None)
        if tagged is None:
            return section_next(repository, named)
        _require_there(workplace, tagged)
        return section_of(repository, tagged)
    decision = decision_of(workplace, channel)
    if decision.version is not None:
        return section_next(repository, decision.version)
    here = [each for each in repository.released if each.commit == repository.commit]
    if not here:
        raise ReleaseError(
            f"nothing to release: {decision.why}",
            next_step="shipmate release next --explain says why each commit does not count",
        )
    return section_of(repository, max(here, key=lambda each: each.rank))


def pairs(given: Sequence[str]) -> dict[str, str]:
    """NAME=WHAT options as a mapping. Raises InputError."""
    found: dict[str, str] = {}
    for text in given:
        name, sign, what = text.partition("=")
        if not sign or not name or not what:
            raise InputError(f"{text!r} is not NAME=WHAT", next_step="write it like backend=sha256:5148…")
        found[name] = what
    return found


def _require_there(workplace: Workplace, tagged: Released) -> None:
    """A commit named together with a version must be the one its tag is on, and in this clone."""
    if tagged.commit in workplace.repository.absent:
        raise InputError(
            f"{tagged.tag} is on {tagged.commit[:9]}, which is not in this clone",
            where=tagged.tag,
            why="it was released since this clone last fetched",
            next_step="git fetch --tags origin",
        )
    if workplace.commit and workplace.repository.commit != tagged.commit:
        raise TagMoved(
            f"{tagged.tag} is on {tagged.commit[:9]}, not on {workplace.repository.commit[:9]}",
            where=tagged.tag,
            why="the tag was moved, or made on another commit",
            next_step=f"release {tagged.commit[:9]}, or give the other commit the next version; a tag is never moved",
        )
