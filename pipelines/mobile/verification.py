"""Whether a tagged commit can be released as the apps: everything that can be looked at before anything is built, and all problems at once.

The app's files are read as data, the release is judged by the gates that publishing asks too, and every account is asked what it shows.
Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.errors import CredentialsError, RefusedError, ShipmateError
from pipelines.mobile import app
from pipelines.mobile.app import Problem

if TYPE_CHECKING:
    from pipelines.manifest.mobile import Platform
    from pipelines.mobile.context import Context
    from release.sections import Section
    from release.workplace import Workplace


@dataclass(kw_only=True)
class Found:
    """What was found."""

    version: str
    notes: str = ""
    """What testers are told, in plain text."""
    published: bool = False
    """The release is out, with everything that belongs to it."""
    seen: dict[Platform, set[int]] = field(default_factory=dict)
    """Build numbers that EAS and the store show."""
    app: list[Problem] = field(default_factory=list)
    """What must be changed in the app, and needs another commit."""
    accounts: list[Problem] = field(default_factory=list)
    """What must be changed elsewhere: the same tag can be released then."""
    told: list[str] = field(default_factory=list)
    """What the gates of publishing say."""


def verify(context: Context) -> Found:
    """Everything there is to find. Raises InputError for a tag that is no version of the apps, and what GitHub's calls raise."""
    found = Found(version=version_of(context))
    found.app += app.problems(app.read(context.app), context.mobile, found.version)
    _release(context, found)
    if not found.published:
        _accounts(context, found)
    return found


def require(context: Context, found: Found) -> None:
    """Raises RefusedError, or CredentialsError where nothing but accounts is wrong, with every problem and what to do about each."""
    problems = [*found.app, *found.accounts]
    if not problems:
        return
    kind = RefusedError if found.app else CredentialsError
    raise kind(
        f"{context.tag} cannot be released: " + "; ".join(f"{each.where}: {each.what}" for each in problems),
        where=f"commit {context.commit[:7]}",
        why="to do: " + "; ".join(f"{each.where}: {each.next_step}" for each in problems),
        next_step=f"nothing was built, and no build number is used. {_again(context, found)}",
    )


def version_of(context: Context) -> str:
    """The version that the tag names. Raises InputError."""
    from pipelines.errors import InputError
    from release.versions import TagFormat

    tag_format = TagFormat(context.manifest.release.components[context.mobile.component].tag_format)
    version = tag_format.version(context.tag)
    if version is None:
        raise InputError(
            f"{context.tag!r} is no version of the apps",
            where="tag",
            why=f"they are tagged as {tag_format.text!r}",
            next_step=f"git tag {tag_format.tag('1.2.3')} && git push origin {tag_format.tag('1.2.3')}",
        )
    return str(version)


def _again(context: Context, found: Found) -> str:
    if not found.app:
        return "Then re-run this job: the tag is right"
    from semver import Version

    main = context.manifest.release.main
    after = str(Version.parse(found.version).finalize_version().bump_patch())
    tag = context.tag.replace(found.version, after)
    return (
        f"A tag is never moved, so make the changes above and write the version {after} into app.json and package.json, merge that "
        f"to {main}, wait until CI is green, and `git checkout {main} && git pull && git tag {tag} && git push origin {tag}`"
    )


# the release ---------------------------------------------------------------------------------------------------------------


def _release(context: Context, found: Found) -> None:
    """The gates of publishing: the tag in place, on its line, higher than what is out, green, its version files."""
    from release.gates import Closed
    from release.github_forge import GitHubForge
    from release.refusals import VersionFilesDiffer
    from release.releasing import Asked, preview

    place = workplace(context)
    seen = preview(place, Asked(version=context.tag), forge=GitHubForge(context.hub), with_files=False)
    if seen.blocked is not None:
        raise seen.blocked
    found.published = not seen.steps
    found.notes = for_testers(seen.ready.section, place)
    for answer in seen.answers:
        if not isinstance(answer, Closed):
            found.told.append(f"{answer.gate}: {answer.told}")
        elif not isinstance(answer.error, VersionFilesDiffer):  # the app's own files say it with what to write
            error = answer.error
            found.app.append(Problem(where=answer.gate, what=error.what, next_step=error.next_step))


def workplace(context: Context) -> Workplace:
    """The commit's own tree, judged by the rules of the default branch."""
    from release.workplace import Workplace

    return Workplace(
        folder=context.source, commit=context.commit, environ=context.runtime.environ, given=context.manifest
    )


def for_testers(section: Section, place: Workplace) -> str:
    """The changes of a release, a line each, without who made them."""
    from release.entries import Rules

    lines = [
        f"• {entry.header.description}"
        for _, entries in section.grouped(Rules(place.rules).groups)
        for entry in entries
    ]
    return "\n".join(dict.fromkeys(lines)) or f"Version {section.version}."


# the accounts --------------------------------------------------------------------------------------------------------------


def _accounts(context: Context, found: Found) -> None:
    """Each is asked for the numbers that it shows, which only one who may work with the app is told."""
    found.seen = {platform: set() for platform in context.mobile.platforms}
    found.accounts += _asked(lambda: _eas(context, found))
    if context.mobile.android is not None:
        found.accounts += _asked(lambda: _play(context, found))
    if context.mobile.ios is not None:
        found.accounts += _asked(lambda: _apple(context, found))


def _asked(ask: Callable[[], Iterator[Problem]]) -> list[Problem]:
    """What is wrong, and what kept it from being seen."""
    problems: list[Problem] = []
    try:
        problems.extend(ask())
    except (CredentialsError, RefusedError) as error:
        problems.append(_as_problem(error))
    return problems


def _as_problem(error: ShipmateError) -> Problem:
    return Problem(where=error.where, what=error.what, next_step=error.next_step)


def _eas(context: Context, found: Found) -> Iterator[Problem]:
    who = context.eas.whoami()
    if not who.robot:
        yield Problem(
            where="EXPO_TOKEN",
            what=f"is a token of the person {who.name!r}",
            next_step="expo.dev → account settings → access tokens → add a robot: its token can build and nothing else",
        )
    for platform in context.mobile.platforms:
        found.seen[platform] |= context.eas.numbers(platform)


def _play(context: Context, found: Found) -> Iterator[Problem]:
    """Opening an edit ends one that is open: no other job delivers meanwhile, which the workflow's concurrency group sees to."""
    edit = context.play.open()
    try:
        found.seen["android"] |= context.play.numbers(edit)
    finally:
        context.play.drop(edit)
    yield from ()


def _apple(context: Context, found: Found) -> Iterator[Problem]:
    from pipelines.providers.app_store_versions import Versions

    found.seen["ios"] |= context.app_store.numbers()
    approved = [each.version for each in Versions(context.app_store).all() if each.over]
    highest = max(approved, key=_numbers, default="")
    if highest and _numbers(found.version) <= _numbers(highest):
        found.app.append(
            Problem(
                where="App Store",
                what=f"{highest} was approved, which closed the train of {found.version}: Apple takes no build of it any more",
                next_step=f"release a version above {highest}",
            )
        )
    yield from ()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
