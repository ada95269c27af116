"""For any history: sections are what sets of ancestors say, nothing is lost, and writing again gives the same bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from pipelines.errors import ReleaseError
from pipelines.manifest.release import Release
from release.changelog import built_in
from release.changelog.entries import Printer
from release.changelog.rendering import write
from release.changelog.sections import section_of
from release.commits.git import Git
from release.versions.decision import Decision, Facts, decide
from release.versions.repository import Repository
from release.versions.wording import why_verdict
from tests.release.generated import History, histories
from tests.release.histories import Planned, make, sections


def changelog(folder: Path, commit: str = "") -> str:
    """The changelog as the command prints it."""
    repository = Repository.open(Git(folder), Release(), commit=commit)

    def prepare(facts: Facts) -> Decision | None:
        try:
            return decide(facts, Release(), repository.component)
        except ReleaseError:
            return None

    found = sections(repository, prepare, prereleases=True)
    return "\n".join(each.text for each in write(found, built_in.changelog, Printer(), repository.rules.groups))


def ancestors(commits: Sequence[Planned], at: int) -> set[int]:
    """With the commit itself. Asked of the plan, not of git, whose answers about what contains what trust the clocks."""
    found: set[int] = set()
    waiting = [at]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(commits[one].parents)
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(histories())
def test_sections__any_history__are_what_the_ancestors_say(made: History) -> None:
    commits, _, tags, head = made
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "r"
        ids = make(folder, commits, tags=tags, head=head)
        repository = Repository.open(Git(folder), Release())
        found = {each.tag: each for each in sections(repository, lambda _: None, prereleases=True)}
        released = {each.tag: each for each in repository.released}
        below_head = ancestors(commits, head)
        assert set(found) == {tag for tag in released if tags[tag] in below_head}
        for tag, section in found.items():
            mine = ancestors(commits, tags[tag])
            wanted = set(mine)
            for other, each in released.items():
                lower = tags[other] != tags[tag] or (each.rank, other) < (released[tag].rank, tag)
                if tags[other] in mine and lower and other != tag and (each.final or not released[tag].final):
                    wanted -= ancestors(commits, tags[other])
            assert {verdict.commit.hash for verdict in section.verdicts} == {ids[at] for at in wanted}, tag
            assert all(why_verdict(verdict, repository.rules) for verdict in section.verdicts)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(histories())
def test_changelog__any_history__is_the_same_again_and_from_later(made: History) -> None:
    """A release's section depends on its own ancestors alone: what comes later, or is merged later, does not change it."""
    commits, _, tags, head = made
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "r"
        ids = make(folder, commits, tags=tags, head=head)
        assert changelog(folder) == changelog(folder)
        repository = Repository.open(Git(folder), Release())
        whole = {each.tag: each for each in sections(repository, lambda _: None, prereleases=False)}
        for released in repository.released:
            if released.tag not in whole or not released.final:
                continue
            early = Repository.open(Git(folder), Release(), commit=ids[tags[released.tag]])
            alone = section_of(early, released)
            before = {each.tag: each for each in sections(early, lambda _: None, prereleases=False)}[released.tag]
            for other in (alone, before):
                assert [v.commit.hash for v in other.verdicts] == [v.commit.hash for v in whole[released.tag].verdicts]
                assert [v.because for v in other.verdicts] == [v.because for v in whole[released.tag].verdicts]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(histories())
def test_changelog__every_entry_that_is_shown_stands_in_it(made: History) -> None:
    commits, _, tags, head = made
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "r"
        make(folder, commits, tags=tags, head=head)
        repository = Repository.open(Git(folder), Release())
        text = changelog(folder)
        for section in sections(repository, lambda _: None, prereleases=True):
            for verdict in section.verdicts:
                for entry in verdict.entries:
                    mark = f"#{entry.pull}" if entry.pull else entry.commit.short
                    assert not entry.group or mark in text
