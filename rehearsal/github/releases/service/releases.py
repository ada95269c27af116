"""Releases: drafted, published, edited, deleted; which is the latest."""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.github.events.delivery import deliver
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import Problem, invalid
from rehearsal.github.releases.render import release as render_release
from rehearsal.github.releases.rules import check_body, check_mutable, check_tag_free, latest_by_version
from rehearsal.github.releases.state import Release
from rehearsal.github.repositories.service import refs
from rehearsal.github.repositories.state import Repository


@dataclass(frozen=True, kw_only=True)
class ReleaseRequest:
    """What a release shall be; None leaves a field as it is, or at its default for a new one."""

    tag_name: str | None = None
    target_commitish: str | None = None
    name: str | None = None
    body: str | None = None
    draft: bool | None = None
    prerelease: bool | None = None
    make_latest: str | None = None


async def create(instance: GitHubInstance, repository: Repository, wanted: ReleaseRequest, by: Identity) -> Release:
    """Make a release, and its tag when it is published. Raises Problem 422."""
    tag = wanted.tag_name or ""
    if not tag:
        raise invalid("Release", "tag_name", "missing_field")
    check_tag_free(repository, tag, None)
    check_body(wanted.body)
    now = instance.now()
    release = Release(
        id=instance.database.next_id("release"),
        tag_name=tag,
        target_commitish=wanted.target_commitish or repository.default_branch,
        name=wanted.name,
        body=wanted.body,
        draft=True,
        prerelease=bool(wanted.prerelease),
        author=by.login,
        created_at=now,
        updated_at=now,
        make_latest=wanted.make_latest or "true",
        hidden_reads=instance.lag,
    )
    if not wanted.draft:
        await _publish(instance, repository, release, by)
    repository.releases[release.id] = release
    if not release.draft:
        await _deliver_published(instance, repository, release, by)
    return release


async def update(
    instance: GitHubInstance, repository: Repository, release: Release, wanted: ReleaseRequest, by: Identity
) -> None:
    """Edit or publish. Raises Problem 422."""
    if wanted.tag_name is not None and wanted.tag_name != release.tag_name:
        check_mutable(release)
        check_tag_free(repository, wanted.tag_name, release)
        release.tag_name = wanted.tag_name
    check_body(wanted.body)
    publishes = release.draft and wanted.draft is False
    if publishes:
        check_tag_free(repository, release.tag_name, release)
    if wanted.draft and not release.draft:
        check_mutable(release)
        repository.unpublish(release)
    _apply(release, wanted)
    release.updated_at = instance.now()
    if publishes:
        await _publish(instance, repository, release, by)
        await _deliver_published(instance, repository, release, by)
        return
    _mark_latest(repository, release, wanted.make_latest)
    if not release.draft:
        await deliver_event(instance, repository, release, "edited", by)


async def delete(instance: GitHubInstance, repository: Repository, release: Release, by: Identity) -> None:
    """Delete a release; its tag stays. The tag of an immutable one can never be released again."""
    if release.immutable:
        repository.burnt_tags.append(release.tag_name)
    for asset in release.assets:
        instance.asset_path(asset.id).unlink(missing_ok=True)
    del repository.releases[release.id]
    if repository.latest_release_id == release.id:
        repository.latest_release_id = None
    if not release.draft:
        await deliver_event(instance, repository, release, "deleted", by)


def visible(repository: Repository, *, with_drafts: bool) -> list[Release]:
    """What a list shows, newest first; each read brings what lags behind closer."""
    shown = []
    for release in sorted(repository.releases.values(), key=lambda one: (one.created_at, one.id), reverse=True):
        if release.hidden_reads > 0:
            release.hidden_reads -= 1
        elif with_drafts or not release.draft:
            shown.append(release)
    return shown


async def deliver_event(
    instance: GitHubInstance, repository: Repository, release: Release, action: str, by: Identity
) -> None:
    """A release event; it runs on the tag."""
    sha = await instance.git(repository).resolve(f"refs/tags/{release.tag_name}")
    if sha is None:
        return
    body = {"action": action, "release": render_release(instance.view(), repository, release)}
    await deliver(instance, repository, "release", body, ref=f"refs/tags/{release.tag_name}", sha=sha, by=by)


async def _publish(instance: GitHubInstance, repository: Repository, release: Release, by: Identity) -> None:
    git = instance.git(repository)
    ref = f"refs/tags/{release.tag_name}"
    if ref not in git.refs:
        sha = await git.resolve(release.target_commitish)
        if sha is None:
            raise invalid("Release", "target_commitish")
        try:
            await refs.create(instance, repository, ref, sha, by)
        except Problem:
            if ref not in git.refs:  # otherwise it was made just now
                raise
    commit = await git.peel(git.refs[ref])
    if commit is not None:
        release.created_at = (await git.commit(commit)).committer.at
    check_tag_free(repository, release.tag_name, release)  # git took a moment
    release.draft = False
    release.published_at = instance.now()
    release.immutable = repository.settings.immutable_releases
    _mark_latest(repository, release, release.make_latest)


async def _deliver_published(instance: GitHubInstance, repository: Repository, release: Release, by: Identity) -> None:
    for action in ("created", "published", "prereleased" if release.prerelease else "released"):
        await deliver_event(instance, repository, release, action, by)


def _apply(release: Release, wanted: ReleaseRequest) -> None:
    release.target_commitish = wanted.target_commitish or release.target_commitish
    release.name = wanted.name if wanted.name is not None else release.name
    release.body = wanted.body if wanted.body is not None else release.body
    release.prerelease = wanted.prerelease if wanted.prerelease is not None else release.prerelease
    release.make_latest = wanted.make_latest or release.make_latest


def _mark_latest(repository: Repository, release: Release, choice: str | None) -> None:
    if choice is None or release.draft or release.prerelease:
        return
    if choice == "true":
        repository.latest_release_id = release.id
    elif choice == "false" and repository.latest_release_id == release.id:
        repository.latest_release_id = None
    elif choice == "legacy":
        repository.latest_release_id = latest_by_version(repository, release).id
