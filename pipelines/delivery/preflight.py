"""What must hold before a plan is made: publishable at the end, forward, and judged by checks that the default branch knows."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pipelines.delivery import source
from pipelines.delivery.context import require_github
from pipelines.errors import InputError, RefusedError

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.delivery.plan import Plan
    from pipelines.manifest import Manifest
    from pipelines.manifest.release import Release

UNSEEN = "drafts of others: GitHub shows them only to tokens that may write contents, so publishing asks again"


def require_publishable(context: Context, version: str, commit: str, *, live: bool = False) -> list[str]:
    """What the gates of publishing find, for people: the tag in place, on its line, higher, green, its version files. Nothing when
    the release is out already.

    By then users would have the release, so it is asked before anything is deployed. `live`: they have it already, so that only what
    would make the publication wrong refuses. Reads only. Raises the error that publishing would end with: the gates', Withdrawn, …
    """
    from release.context import ReleaseContext
    from release.publishing.contents import PublishRequest
    from release.publishing.gates import Closed
    from release.publishing.github_forge import GitHubForge
    from release.publishing.publish import preview

    release = ReleaseContext(
        folder=context.manifest.root,
        version=version,
        commit=commit,
        environ=context.runtime.environ,
        given=context.manifest,
    )
    found = preview(release, PublishRequest(live=live), forge=GitHubForge(require_github(context)), with_files=False)
    if found.blocked is not None:
        raise found.blocked
    if not found.steps:
        return []
    for answer in found.answers:
        if isinstance(answer, Closed):
            raise answer.error
    return [*(f"{answer.gate}: {answer.says}" for answer in found.answers if not isinstance(answer, Closed)), UNSEEN]


def judge_checks(manifest: Manifest, commit: str) -> list[str]:
    """What an approver must know of the CI that judged a commit. Raises RefusedError for a workflow the default branch never had."""
    main = manifest.release.main
    found = source.checks_of_its_own(manifest.root, commit, _main_ref(manifest, main))
    workflows = [each for each in found if each.startswith(source.CI)]
    if workflows:
        raise RefusedError(
            "; ".join(workflows),
            where=f"commit {commit[:7]}",
            why="a commit must not bring the workflow that judges it",
            next_step=f"merge the change of {source.CI} to {main} first, then take it over to the maintenance line",
        )
    return found


def _main_ref(manifest: Manifest, main: str) -> str:
    """The default branch as this clone has it: of a job that was checked out by commit, the remote's."""
    for name in (f"refs/remotes/origin/{main}", f"refs/heads/{main}"):
        if source.has(manifest.root, name):
            return name
    return "HEAD"


def require_version(rules: Release, name: str) -> None:
    """Raises InputError for what is no tag of a release: nothing else is looked up, nor printed in a command to copy."""
    from release.versions.tags import format_of

    tag_format = format_of(rules, next(iter(rules.components)))
    if tag_format.version(name) is None:
        raise InputError(
            f"{name!r} is not a version",
            where="version",
            why=f"releases are tagged as {tag_format.text!r}",
            next_step=f"use a tag like {tag_format.tag('1.2.3')}",
        )


def require_forward(plan: Plan, rules: Release) -> None:
    """Raises RefusedError when a higher version is live, or this one is live with other digests."""
    wanted = version_of(rules, plan.recorded.release)
    for each in plan.facts:
        if each.base is None or not each.base.release:
            continue
        if each.base.release == each.release and each.base.digest != each.digest:
            raise RefusedError(
                f"{each.release} is live with another digest",
                where=each.component,
                why=f"live: {each.base.digest[:19]}; proved: {each.digest[:19]}",
                next_step="make a new version: one name never means two things",
            )
        try:
            higher = version_of(rules, each.base.release) > wanted
        except InputError:
            continue
        if higher:
            raise RefusedError(
                f"{each.release} is lower than {each.base.release}, which is live",
                where=each.component,
                why="a lower version would take back what users have",
                next_step=f"to go back use `shipmate rollback --to {each.release}`; to go on make a higher version",
            )


def version_of(rules: Release, name: str) -> Any:
    """The version that a release is named for. Raises InputError for what is none."""
    from release.versions.tags import format_of

    return format_of(rules, next(iter(rules.components))).read(name)


def differences(policy: Manifest, releasing: Manifest, environment: str) -> list[str]:
    """How the settings a release would run with differ from the default branch's, one line each. Secrets are names, not values."""
    found = []
    here, there = policy.environments[environment].targets, releasing.environments[environment].targets
    for component in here:
        if component not in there:
            found.append(f"{component}: the release does not have it")
            continue
        own, other = dataclasses.asdict(there[component]), dataclasses.asdict(here[component])
        found += [
            f"{component}/{key}: {own[key]!r}, the default branch has {other.get(key)!r}"
            for key in own
            if own[key] != other.get(key)
        ]
    named = {check.name for check in policy.environments[environment].smoke}
    found += [
        f"smoke: {check.name}, added by the release"
        for check in releasing.environments[environment].smoke
        if check.name not in named
    ]
    found += [f"journeys: {name}, added by the release" for name in releasing.journeys if name not in policy.journeys]
    return found
