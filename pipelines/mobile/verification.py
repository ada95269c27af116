"""Whether a tagged commit can be released as the apps: everything that can be looked at before anything is built, and all problems at once.

The app's files are read as data, the release is judged by the gates that publishing asks too, and every account is asked what it shows.
Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.errors import CredentialsError, ProviderError, ProviderUnavailable, RefusedError, ShipmateError
from pipelines.mobile import app
from pipelines.mobile.app import Problem

if TYPE_CHECKING:
    from pipelines.manifest.mobile import Platform
    from pipelines.mobile.context import Context
    from release.changelog.sections import Section
    from release.context import ReleaseContext


@dataclass(kw_only=True)
class Found:
    """What was found."""

    version: str
    notes: str = ""
    """The notes that testers are shown, in plain text."""
    published: bool = False
    """The release is out, with everything that belongs to it."""
    seen: dict[Platform, set[int]] = field(default_factory=dict)
    """Build numbers that EAS and the store show."""
    app: list[Problem] = field(default_factory=list)
    """What must be changed in the app, and needs another commit."""
    waits: list[Problem] = field(default_factory=list)
    """What will be well by itself, or by running something else: the same tag can be released then."""
    accounts: list[Problem] = field(default_factory=list)
    """What must be changed elsewhere: the same tag can be released then, too."""
    failures: list[ShipmateError] = field(default_factory=list)
    """What kept the accounts from being seen."""
    passed: list[str] = field(default_factory=list)
    """What the gates of publishing say."""
    below: list[str] = field(default_factory=list)
    """Versions that the next one must be above."""
    tags: set[str] = field(default_factory=set)
    """Every tag there is: none is given twice."""
    files: list[str] = field(default_factory=list)
    """Those that say the version of the app."""


def verify(context: Context) -> Found:
    """Everything there is to find. Raises InputError for a tag that is no version of the apps, and what GitHub's calls raise."""
    found = Found(version=version_of(context))
    try:
        here = app.read(context.app)
    except RefusedError as error:
        found.app.append(_as_problem(error))
    else:
        found.app += app.problems(here, context.mobile, found.version)
        found.files = [name for name, message in ((app.APP, True), (app.PACKAGE, "version" in here.package)) if message]
    _release(context, found)
    if not found.published:
        _accounts(context, found)
    return found


def require(context: Context, found: Found) -> None:
    """Every problem at once, and what to do about each. Raises RefusedError, or where nothing but accounts is wrong CredentialsError;
    ProviderUnavailable or ProviderError where they could not be looked at."""
    problems = [*found.app, *found.waits, *found.accounts]
    if not problems:
        return
    raise _kind(found)(
        f"{context.tag} cannot be released: " + "; ".join(f"{each.where}: {each.what}" for each in problems),
        where=f"commit {context.commit[:7]}",
        why="to do: " + "; ".join(f"{each.where}: {each.next_step}" for each in problems if each.next_step),
        next_step=f"nothing was built, and no build number is used. {_again(context, found)}",
    )


def _kind(found: Found) -> type[ShipmateError]:
    if found.app or found.waits:
        return RefusedError
    if len(found.failures) == len(found.accounts) and not any(isinstance(e, CredentialsError) for e in found.failures):
        return ProviderUnavailable if all(isinstance(e, ProviderUnavailable) for e in found.failures) else ProviderError
    return CredentialsError


def version_of(context: Context) -> str:
    """The version that the tag names. Raises InputError."""
    from pipelines.errors import InputError
    from release.versions.tags import format_of

    tag_format = format_of(context.manifest.release, context.mobile.component)
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
    main = context.manifest.release.main
    after, tag = _next(context, found)
    files = " and ".join(f"{context.mobile.app}/{name}" for name in found.files or [app.APP])
    return (
        f"A tag is never moved, so make the changes above and write the version {after} into {files}, merge that "
        f"to {main}, wait until CI is green, and `git checkout {main} && git pull && git tag {tag} && git push origin {tag}`"
    )


def _next(context: Context, found: Found) -> tuple[str, str]:
    """A version that can be released, and its tag: above everything that this one must be above, and not tagged yet."""
    from semver import Version

    from release.versions.tags import format_of

    tag_format = format_of(context.manifest.release, context.mobile.component)
    wanted = Version.parse(found.version).finalize_version()
    for each in found.below:
        wanted = max(wanted, Version.parse(each).bump_patch())
    while tag_format.tag(str(wanted)) in found.tags or str(wanted) == found.version:
        wanted = wanted.bump_patch()
    return str(wanted), tag_format.tag(str(wanted))


# the release ---------------------------------------------------------------------------------------------------------------


def _release(context: Context, found: Found) -> None:
    """The gates of publishing: the tag in place, on its line, higher than what is out, green, its version files."""
    from release.publishing.contents import PublishRequest
    from release.publishing.gates import Closed
    from release.publishing.github_forge import GitHubForge
    from release.publishing.publish import preview
    from release.refusals import NotGreen, NotHigher, OpenElsewhere, VersionFilesDiffer

    place = workplace(context)
    seen = preview(place, PublishRequest(), forge=GitHubForge(context.hub), with_files=False)
    found.tags = {each.name for each in place.repository.tags}
    found.published = seen.blocked is None and not seen.steps
    found.notes = for_testers(seen.ready.section, place)
    for answer in seen.answers:
        if not isinstance(answer, Closed):
            found.passed.append(f"{answer.gate}: {answer.says}")
            continue
        error = answer.error
        if isinstance(error, VersionFilesDiffer):
            continue  # the app's own files say it with what to write
        if isinstance(error, NotHigher):
            found.below.append(error.last)
        waits = isinstance(error, OpenElsewhere) or (isinstance(error, NotGreen) and not error.failed)
        (found.waits if waits else found.app).append(_as_problem(error, answer.gate))
    if seen.blocked is not None:
        found.app.append(_as_problem(seen.blocked, "GitHub release"))


def workplace(context: Context) -> ReleaseContext:
    """The commit's own tree, judged by the rules of the default branch."""
    from release.context import ReleaseContext

    return ReleaseContext(
        folder=context.source,
        version=context.tag,
        commit=context.commit,
        environ=context.runtime.environ,
        given=context.manifest,
    )


def for_testers(section: Section, place: ReleaseContext) -> str:
    """The changes of a release, a line each, without who made them."""
    from release.versions.rules import Rules

    lines = [
        f"• {entry.header.description}"
        for _, entries in section.grouped(Rules(place.rules).groups)
        for entry in entries
    ]
    return "\n".join(dict.fromkeys(lines)) or f"Version {section.version}."


# the accounts --------------------------------------------------------------------------------------------------------------


def _accounts(context: Context, found: Found) -> None:
    """Each is asked for the numbers that it shows, which only accounts with access to the app may read."""
    found.seen = {platform: set() for platform in context.mobile.platforms}
    _look(found, lambda: _eas(context, found))
    if context.mobile.android is not None:
        _look(found, lambda: _play(context, found))
    if context.mobile.ios is not None:
        _look(found, lambda: _apple(context, found))


def _look(found: Found, ask: Callable[[], Iterator[Problem]]) -> None:
    """What is wrong with an account, or kept it from being seen: the others are looked at all the same."""
    try:
        found.accounts.extend(ask())
    except (CredentialsError, RefusedError, ProviderError, ProviderUnavailable) as error:
        found.failures.append(error)
        found.accounts.append(_as_problem(error))


def _as_problem(error: ShipmateError, where: str = "") -> Problem:
    return Problem(where=where or error.where, what=error.what, next_step=error.next_step)


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
    approved = [each.version for each in Versions(context.app_store).all() if each.approved]
    highest = max(approved, key=numbers_of, default="")
    if highest and numbers_of(found.version) <= numbers_of(highest):
        found.below.append(".".join(map(str, numbers_of(highest))))
        found.app.append(
            Problem(
                where="App Store",
                what=f"{highest} was approved, which closed the train of {found.version}: Apple takes no build of it any more",
                next_step=f"release a version above {highest}",
            )
        )
    yield from ()


def numbers_of(version: str) -> tuple[int, ...]:
    """As Apple compares them: 1.2 is 1.2.0."""
    parts = version.partition("-")[0].split(".")
    return tuple(int(part) if part.isdecimal() else 0 for part in (*parts, "0", "0")[:3])
