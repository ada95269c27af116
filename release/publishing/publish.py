"""One release from beginning to end: choose, prepare, ask the gates, publish, dispatch the workflows that come after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import InputError, RefusedError, ReleaseError, ShipmateError
from release.changelog.sections import Section
from release.changelog.selection import section_for
from release.commits.dates import moment
from release.context import ReleaseContext
from release.publishing import gates
from release.publishing.contents import Contents, PublishRequest, contents_of, shortened
from release.publishing.downstream import inputs, token_starts_no_workflow, waiting_workflows
from release.publishing.forge import Forge
from release.publishing.github_forge import GitHubForge
from release.publishing.lease import myself
from release.publishing.publisher import Published, Publisher, dispatch_downstream
from release.publishing.state import DesiredRelease, Step, all_steps, next_step
from release.publishing.verify import highest_not_withdrawn
from release.versions.tags import TagFormat, key
from release.versions.warnings import version_warnings
from release.versions.withdrawals import WITHDRAWN

if TYPE_CHECKING:
    from semver import Version


@dataclass(frozen=True, kw_only=True)
class PreparedRelease:
    """A release that is decided and has its files."""

    section: Section
    contents: Contents
    desired: DesiredRelease
    publisher: Publisher
    candidate: gates.Candidate
    preparation_warnings: Sequence[str] = ()
    """What speaks against the version that was asked for, or the files that were prepared for it."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How it ended."""

    published: Published
    tag: str
    commit: str
    dispatched: Sequence[str]
    warnings: Sequence[str]
    preparation_warnings: Sequence[str] = ()

    @property
    def changed(self) -> bool:
        return bool(self.published.done or self.dispatched)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What publishing would do."""

    ready: PreparedRelease
    answers: Sequence[gates.Passed | gates.Warned | gates.Closed]
    steps: Sequence[Step]
    dispatches: Sequence[str]
    blocked: ShipmateError | None
    """Why what GitHub holds cannot be led to this release."""


def publish(
    context: ReleaseContext, request: PublishRequest, *, say: Callable[[str], None], forge: Forge | None = None
) -> Outcome:
    """Publish a release, or finish one, or find that it is finished. Raises what the gates, the state and the lock raise.

    Nothing is written before every gate holds; of a release that users have, before those that are decisive do. A finished release is
    recognized before any gate is asked.
    """
    warnings: list[str] = []
    with ExitStack() as stack:
        ready = _ready(context, request, stack, say, forge)
        for warning in ready.preparation_warnings:
            say(f"warning: {warning}")
        if next_step(ready.publisher.observe(), ready.desired) is not None:
            for answer in gates.require(ready.candidate):
                say(f"{answer.gate}: {answer.says}")
                warnings += [f"{answer.gate}: {answer.says}"] if isinstance(answer, gates.Warned) else []
        me = myself(context.environ)
        published = ready.publisher.run(me, minutes=context.rules.lease_minutes, take_over=request.take_over)
        if published.done and ready.desired.latest:
            _leave_latest_to_the_highest(ready, say)
        workflows = tuple(dict.fromkeys(request.then_dispatch or context.rules.then_dispatch))
        ready.candidate.repository.git.note_tag(ready.desired.tag, ready.desired.commit)
        values = {"version": ready.desired.tag, "commit": ready.desired.commit}
        dispatched = dispatch_downstream(
            ready.publisher.forge,
            workflows,
            ready.desired.tag,
            inputs=lambda workflow: inputs(context.git, ready.desired.commit, workflow, values),
            say=say,
        )
        return Outcome(
            published=published,
            tag=ready.desired.tag,
            commit=ready.desired.commit,
            dispatched=dispatched,
            warnings=[*warnings, *published.warnings, *_undispatched(context, ready.desired.commit, workflows)],
            preparation_warnings=ready.preparation_warnings,
        )


def preview(
    context: ReleaseContext, request: PublishRequest, *, forge: Forge | None = None, with_files: bool = True
) -> Preview:
    """Everything `publish` would find and do, nothing written.

    Without its files, which take longest to prepare, it still says whether the release may be published.
    """
    with ExitStack() as stack:
        ready = _ready(context, request, stack, lambda _: None, forge, with_files=with_files)
        answers = gates.ask(ready.candidate)
        steps: Sequence[Step] = ()
        blocked: ShipmateError | None = None
        state = ready.publisher.observe()
        try:
            steps = all_steps(state, ready.desired)
        except (RefusedError, ReleaseError) as error:
            blocked = error
        workflows = tuple(dict.fromkeys(request.then_dispatch or context.rules.then_dispatch))
        return Preview(ready=ready, answers=answers, steps=steps, dispatches=workflows, blocked=blocked)


def _ready(
    context: ReleaseContext,
    request: PublishRequest,
    stack: ExitStack,
    say: Callable[[str], None],
    forge: Forge | None,
    *,
    with_files: bool = True,
) -> PreparedRelease:
    repository = context.repository
    forge = forge or GitHubForge(context.github())
    repository.add_missing_tags(forge.tags(repository.format.prefix), forge.tag)
    repository.take_published(published_on(forge))
    if context.version and (request.live or request.again):
        _require_tag(context, context.version, forge)
    section = section_for(context, request.channel)
    missing = _missing_tags(context, section.commit, refuse=not request.live)
    since = moment(repository.time_of(section.commit) - 86_400).strftime("%Y-%m-%dT%H:%M:%SZ")
    nothing = Contents(notes="", files=(), given={})
    contents = contents_of(context, section, request, stack, forge, since) if with_files else nothing
    version = repository.format.read(section.tag)
    candidate = _candidate(context, request, section, forge, version)
    desired = _desired(context, request, contents, candidate)
    chosen = bool(context.version) and contents.finished is None
    return PreparedRelease(
        section=section,
        contents=contents,
        desired=desired,
        publisher=Publisher(forge=forge, desired=desired, since=since, say=say, pause=_pause),
        candidate=candidate,
        preparation_warnings=[
            *missing,
            *(
                version_warnings(version, section.previous, section.verdicts, repository.format, context.rules)
                if chosen
                else ()
            ),
        ],
    )


def published_on(forge: Forge) -> dict[str, bool]:
    """Tags of the releases that are out -> whether they were withdrawn."""
    return {entry.tag: WITHDRAWN in entry.body for entry in forge.releases()}


def _candidate(
    context: ReleaseContext, request: PublishRequest, section: Section, forge: Forge, version: Version
) -> gates.Candidate:
    """What the gates are asked about."""
    own = [*request.files, *request.evidence, *([request.prepared] if request.prepared else [])]
    return gates.Candidate(
        repository=context.repository,
        forge=forge,
        version=version,
        tag=section.tag,
        commit=section.commit,
        own_files=_inside(context, own),
        take_over=request.take_over,
        live=request.live,
        again=request.again,
        live_in=context.live_in if request.by_hand else "",
    )


def _desired(
    context: ReleaseContext, request: PublishRequest, contents: Contents, candidate: gates.Candidate
) -> DesiredRelease:
    """The release as it shall be."""
    version, tag_format = candidate.version, candidate.repository.format
    return DesiredRelease(
        tag=candidate.tag,
        commit=candidate.commit,
        name=candidate.tag,
        body=shortened(contents.notes),
        prerelease=bool(version.prerelease),
        latest=context.leads and _outranks_published(version, candidate.forge, tag_format),
        tagged=request.live or request.again,
        live=request.live,
        files=tuple(contents.files),
        given=contents.given,
    )


def _require_tag(context: ReleaseContext, version: str, forge: Forge) -> None:
    """Raises TagGone, TagMoved: what was released before has its tag, on the commit that is meant or, where none is, was known here."""
    repository = context.repository
    tag = repository.format.tag(repository.format.read(version))
    known = next((each.commit for each in repository.released if each.tag == tag), "")
    gates.require_tag(forge, tag, context.commit or known)


def _missing_tags(context: ReleaseContext, commit: str, *, refuse: bool) -> list[str]:
    """What was tagged below the commit since the files were prepared. Raises InputError unless it is only to be reported."""
    try:
        context.repository.require_no_tags_below(commit)
    except InputError as error:
        if refuse:
            raise
        return [f"{error.what}: {error.why}"]
    return []


def _leave_latest_to_the_highest(ready: PreparedRelease, say: Callable[[str], None]) -> None:
    """A higher release may have come out in the moment in which this one did."""
    highest = highest_not_withdrawn(ready.publisher.forge.releases(), ready.candidate.repository.format)
    if highest is not None and highest.tag != ready.desired.tag:
        say(f"{highest.tag} came out meanwhile: it is the latest release")
        ready.publisher.forge.edit(highest.id, {"make_latest": "true"})


def _outranks_published(version: Version, forge: Forge, tag_format: TagFormat) -> bool:
    """Whether a final version is as high as every published one that stands. Tags of releases that never went out do not count."""
    if version.prerelease:
        return False
    highest = highest_not_withdrawn(forge.releases(), tag_format)
    return highest is None or key(version) >= key(tag_format.read(highest.tag))


def _pause(seconds: float) -> None:
    """Wait, in the rehearsal's time when there is one."""
    from pipelines.clock import Clock
    from pipelines.overlay import current

    Clock(scale=current().time_scale).sleep(seconds)


def _inside(context: ReleaseContext, paths: Sequence[Path]) -> list[str]:
    """Paths relative to the working tree, of those that lie in it."""
    if not paths:
        return []
    top = context.top.resolve()
    return [str(path.resolve().relative_to(top)) for path in paths if path.resolve().is_relative_to(top)]


def _undispatched(context: ReleaseContext, commit: str, dispatched: Sequence[str]) -> list[str]:
    environ: Mapping[str, str] = context.environ
    if not token_starts_no_workflow(environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or "", environ):
        return []
    return [
        f"{name} waits for a {event}, which this workflow's token does not start: pass --then-dispatch {name}"
        for name, event in waiting_workflows(context.git, commit, dispatched)
    ]
