"""Publishing: read what the forge really holds, take the next step, read again, until nothing is missing.

Killed anywhere, the next run finishes it; two at once make one release (lease.py); a finished release is left alone (state.py).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.errors import ReleaseError
from release.publishing.forge import Asset, Forge, ForgeRelease
from release.publishing.lease import Holder, Lease, acquire
from release.publishing.state import DesiredRelease, State, Step, edited, is_ours, next_step

if TYPE_CHECKING:
    from pipelines.github import GitHubRefused

_REFUSALS = 3
"""So often GitHub may refuse a step because the state was newer than it looked."""
_LOOKS = 6
"""So often a list is read when a killed run may have made a draft it does not show yet."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """How it ended."""

    entry: ForgeRelease
    done: tuple[str, ...]
    """Steps taken; empty when all was there already."""
    took_over: Holder | None = None
    warnings: tuple[str, ...] = ()
    """What someone else did meanwhile that stopped nothing."""


@dataclass(kw_only=True)
class Publisher:
    """One release on its way."""

    forge: Forge
    desired: DesiredRelease
    since: str
    """ISO time of the commit: no draft of it is older."""
    say: Callable[[str], None]
    pause: Callable[[float], None] = time.sleep
    lease: Lease | None = None

    def __post_init__(self) -> None:
        self._known: set[int] = set()
        """Ids of drafts seen in this run: lists may forget them for some seconds, reading by id does not."""
        self._warnings: list[str] = []

    def run(self, me: Holder, *, minutes: float, take_over: bool = False) -> Published:
        """Publish. Raises OpenElsewhere, TagMoved, TagGone, ReleasedDifferently, Withdrawn, ReleaseError, ConflictError."""
        state = self.observe()
        if (
            state.published is not None
            and next_step(state, self.desired) is None
            and not self.forge.locks(self.desired.tag)
        ):
            return Published(entry=state.published, done=())
        self.lease = acquire(
            self.forge, self.desired.tag, self.desired.commit, me, minutes=minutes, take_over=take_over
        )
        if self.lease.took_over is not None:
            self.say(f"taking over from {self.lease.took_over}, which is gone")
        done: list[str] = []
        try:
            entry = self._finish(done)
        finally:
            self.lease.drop()
        return Published(entry=entry, done=tuple(done), took_over=self.lease.took_over, warnings=tuple(self._warnings))

    def observe(self) -> State:
        """What the forge holds now."""
        published = self.forge.published(self.desired.tag)
        return State(
            tag=self.forge.tag(self.desired.tag),
            published=self._with_digests(published) if published else None,
            drafts=self._drafts(),
        )

    def _drafts(self) -> tuple[ForgeRelease, ...]:
        drafts = {draft.id: draft for draft in self.forge.drafts(self.desired.tag, self.since)}
        for number in self._known - drafts.keys():
            entry = self.forge.entry(number)
            if entry is not None and entry.draft and entry.tag == self.desired.tag:
                drafts[number] = entry
        self._known |= drafts.keys()
        return tuple(self._with_digests(drafts[number]) for number in sorted(drafts))

    def _observe_after(self, state: State, step: Step) -> State:
        """What a step may have changed, read back; all of it where a step is decisive."""
        if step.kind == "tag":
            return replace(state, tag=self.forge.tag(self.desired.tag))
        if step.kind in ("draft", "discard"):
            return replace(state, drafts=self._drafts())
        if step.kind == "publish" or step.entry is None or not step.entry.draft:
            return self.observe()
        number = step.entry.id
        now = self.forge.entry(number)
        if now is None or not now.draft:
            return self.observe()
        drafts = tuple(self._with_digests(now) if draft.id == number else draft for draft in state.drafts)
        return replace(state, drafts=drafts)

    def _finish(self, done: list[str]) -> ForgeRelease:
        """Step by step. Bounded: no release needs more steps than its files and a few."""
        from pipelines.github import GitHubRefused

        self._await_drafts()
        refused = 0
        state = self.observe()
        for _ in range(20 + 6 * len(self.desired.files)):
            step = next_step(state, self.desired)
            if step is not None and step.kind == "publish":
                # The last look before it is out: is the tag where it was, is everything there, is nobody else faster?
                state = self.observe()
                step = next_step(state, self.desired)
            if step is None and state.published is not None:
                self._warn_of_drafts(state)
                return state.published
            if step is None:
                break
            self.say(step.what)
            try:
                self._do(step)
                done.append(step.what)
            except GitHubRefused as error:
                refused += 1
                if error.status != 422 or refused > _REFUSALS:
                    raise _refused(step, error) from error
                self.pause(1.0)
                state = self.observe()
            else:
                state = self._observe_after(state, step)
        raise ReleaseError(
            f"{self.desired.tag} is not finished after {len(done)} steps",
            where=self.desired.tag,
            why="someone else keeps changing it",
            next_step="see who works on this release, then run the same command again",
        )

    def _warn_of_drafts(self, state: State) -> None:
        for draft in state.drafts:
            if not is_ours(draft):
                self._warn(f"a draft of {self.desired.tag} that this tool did not make is open: delete {draft.url}")

    def _warn(self, text: str) -> None:
        if text not in self._warnings:
            self._warnings.append(text)

    def _await_drafts(self) -> None:
        """After a killed run: a draft it made a moment ago may not be listed yet, and must not be made twice."""
        lease = self.lease
        if lease is None or lease.took_over is None or time.time() - lease.took_over.at > 120:
            return
        for _ in range(_LOOKS):
            state = self.observe()
            if state.drafts or state.published:
                return
            self.pause(1.0)

    def _do(self, step: Step) -> None:
        desired, entry = self.desired, step.entry
        if step.kind == "tag":
            self.forge.create_tag(desired.tag, desired.commit)
        elif step.kind == "draft":
            made = self.forge.create_draft(
                tag=desired.tag,
                commit=desired.commit,
                name=desired.name,
                body=desired.marked_body,
                prerelease=desired.prerelease,
            )
            self._known.add(made.id)
        elif entry is not None:
            self._change(step, entry)

    def _change(self, step: Step, entry: ForgeRelease) -> None:
        desired = self.desired
        if step.kind == "edit":
            body = {} if edited(entry) else {"body": desired.marked_body}
            self.forge.edit(entry.id, {"name": desired.name, "prerelease": desired.prerelease, **body})
        elif step.kind == "discard":
            self.forge.delete_draft(entry.id)
        elif step.kind == "upload" and step.file is not None:
            self.forge.upload(entry, step.file, step.name)
        elif step.kind == "remove" and step.asset is not None:
            self.forge.delete_asset(step.asset)
        elif step.kind == "rename" and step.asset is not None:
            self.forge.rename_asset(step.asset, step.name)
        elif step.kind == "publish":
            if self.lease is not None:
                self.lease.check()
            self._publish(entry)

    def _publish(self, entry: ForgeRelease) -> None:
        """Nothing while there is no tag: GitHub would make one without a word. What is read next refuses, or makes it and says so."""
        desired = self.desired
        before = self.forge.tag_object(desired.tag)
        if before is None:
            return
        latest = "true" if desired.latest and not desired.prerelease else "false"
        self.forge.edit(entry.id, {"draft": False, "prerelease": desired.prerelease, "make_latest": latest})
        now = self.forge.tag_object(desired.tag)
        if now not in (None, before):
            self._warn(
                f"the tag {desired.tag} was made anew while it was published ({before[:9]} before, {now[:9]} now): "
                "GitHub does that for one that is deleted in that moment; if yours had a message or a signature, push it again"
            )

    def _with_digests(self, entry: ForgeRelease) -> ForgeRelease:
        """Where GitHub tells no digest of a file that matters, it is read back and computed."""
        ours = {name for file in self.desired.files for name in (file.name, file.spare)}
        assets: list[Asset] = []
        for asset in entry.assets:
            if asset.whole and not asset.digest and asset.name in ours:
                content = self.forge.download(asset)
                asset = replace(asset, digest=f"sha256:{hashlib.sha256(content).hexdigest()}")  # noqa: PLW2901
            assets.append(asset)
        return replace(entry, assets=tuple(assets))


def _refused(step: Step, error: GitHubRefused) -> ReleaseError:
    if "immutable release" in error.what:
        return ReleaseError(
            f"could not {step.what}: {error.what}",
            where=error.where,
            why="GitHub never lets the tag of a deleted immutable release be used again",
            next_step="release the next version",
        )
    return ReleaseError(
        f"could not {step.what}: {error.what}",
        where=error.where,
        why="GitHub refuses it",
        next_step="fix what it names, then run the same command again: it goes on where it stopped",
    )


def dispatch_downstream(
    forge: Forge,
    workflows: Sequence[str],
    tag: str,
    *,
    inputs: Callable[[str], Mapping[str, str]],
    say: Callable[[str], None],
) -> list[str]:
    """Dispatch what must follow a release, each workflow once: the events of a workflow's own token start nothing."""
    started: list[str] = []
    for workflow in workflows:
        if forge.dispatched(workflow, tag):
            say(f"{workflow} was dispatched on {tag} already")
            continue
        forge.dispatch(workflow, tag, inputs(workflow))
        say(f"dispatched {workflow} on {tag}")
        started.append(workflow)
    return started
