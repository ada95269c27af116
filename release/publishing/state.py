"""What a release needs next: pure, from what the forge holds. Applied until nothing is needed, wherever an earlier run stopped."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pipelines.errors import ReleaseError
from release.publishing.forge import Asset, File, ForgeRelease
from release.refusals import OpenElsewhere, ReleasedDifferently, TagMoved, Withdrawn, tag_gone, tag_put_elsewhere
from release.versions.withdrawals import WITHDRAWN

_MARK = re.compile(
    r"(?<!\s)\s*+(?:(?<![^\n])<!-- shipmate given (\{.*\}) -->\r?\n)?<!-- shipmate release ([0-9a-f]{16}) -->\s*$"
)
_SPARE = re.compile(r"(.+)\.[0-9a-f]{8}\.part")
_BANNER = re.compile(re.escape(WITHDRAWN) + r"\r?\n(?:>[^\n]*\n)*\s*")


@dataclass(frozen=True, kw_only=True)
class DesiredRelease:
    """The release as it shall be."""

    tag: str
    commit: str
    name: str
    body: str
    prerelease: bool
    latest: bool
    files: tuple[File, ...]
    tagged: bool = False
    """It was released before: its tag was there, and is never made here."""
    live: bool = False
    """Users have it: a draft that someone else prepares is no reason to wait."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """What it was made with that its commit does not say: needed to finish the draft."""

    @property
    def marked_body(self) -> str:
        """The notes with a comment that says we wrote them, and what they were: a person's edit can be distinguished from it."""
        given = f"<!-- shipmate given {_in_comment(self.given)} -->\n" if self.given else ""
        return f"{self.body.rstrip()}\n\n{given}<!-- shipmate release {_print(self.body)} -->\n"


@dataclass(frozen=True, kw_only=True)
class State:
    """The release as it is."""

    tag: str | None
    """The commit the tag is on."""
    published: ForgeRelease | None
    drafts: tuple[ForgeRelease, ...]
    """Lowest id first."""


StepKind = Literal["tag", "draft", "edit", "discard", "upload", "remove", "rename", "publish"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step; beside its kind, what that needs."""

    kind: StepKind
    what: str
    """For people."""
    entry: ForgeRelease | None = None
    file: File | None = None
    name: str = ""
    asset: Asset | None = None


def next_step(state: State, desired: DesiredRelease) -> Step | None:
    """The next step, None when the release is out and complete.

    Raises TagMoved, TagGone, ReleasedDifferently, Withdrawn, OpenElsewhere, and ReleaseError for what nobody can finish.
    """
    if desired.tagged and state.tag is None:
        raise tag_gone(desired.tag, desired.commit)
    if desired.live and state.tag not in (None, desired.commit):
        raise tag_put_elsewhere(desired.tag, desired.commit, str(state.tag))
    if state.tag is not None and state.tag != desired.commit:
        raise TagMoved(
            f"{desired.tag} is on {state.tag[:9]}, not on {desired.commit[:9]}",
            where=desired.tag,
            why="the tag was moved, or made on another commit",
            next_step=f"release {state.tag[:9]}, or give {desired.commit[:9]} the next version; a tag is never moved",
        )
    if state.published is not None:
        return _of_published(state.published, desired) or _surplus(state, keep=None)
    if desired.live:
        state = replace(state, drafts=tuple(filter(is_ours, state.drafts)))
    _refuse_foreign(state, desired)
    if state.tag is None:
        again = " again: it was deleted since its draft was made" if state.drafts else ""
        return Step(kind="tag", what=f"tag {desired.commit[:9]} as {desired.tag}{again}")
    if not state.drafts:
        return Step(kind="draft", what=f"draft {desired.tag}{' (pre-release)' if desired.prerelease else ''}")
    draft = state.drafts[0]
    if step := _surplus(state, keep=draft) or _of_draft(draft, desired):
        return step
    for file in desired.files:
        if step := _of_file(draft, file):
            return step
    return _leftover(draft) or Step(kind="publish", what=_published_as(desired), entry=draft)


def all_steps(state: State, desired: DesiredRelease) -> list[Step]:
    """Every step to the end, by playing them on a copy of the state. Raises what `next_step` raises."""
    steps: list[Step] = []
    while (step := next_step(state, desired)) is not None:
        steps.append(step)
        state = after(state, step, desired)
    return steps


def after(state: State, step: Step, desired: DesiredRelease) -> State:
    """The state a step leads to when it succeeds."""
    if step.kind == "tag":
        return replace(state, tag=desired.commit)
    if step.kind == "discard" and step.entry is not None:
        return replace(state, drafts=tuple(draft for draft in state.drafts if draft.id != step.entry.id))
    if step.kind == "draft":
        made = ForgeRelease(
            id=0,
            tag=desired.tag,
            name=desired.name,
            body=desired.marked_body,
            draft=True,
            prerelease=desired.prerelease,
        )
        return replace(state, drafts=(made,))
    old = step.entry
    if old is None:
        return state
    new = _changed(old, step, desired)
    if new.draft:
        return replace(state, drafts=tuple(new if draft.id == old.id else draft for draft in state.drafts))
    return replace(state, published=new, drafts=tuple(draft for draft in state.drafts if draft.id != old.id))


def is_ours(entry: ForgeRelease) -> bool:
    """Whether this tool made a release; its mark is the last line of the notes."""
    return _MARK.search(entry.body) is not None


def edited(entry: ForgeRelease) -> bool:
    """Whether a person changed the notes of a release we made. Our own withdrawal above them is no such change."""
    found = _MARK.search(entry.body)
    return found is None or _print(notes_in(entry)) != found[2]


def notes_in(entry: ForgeRelease) -> str:
    """The notes of a release without our comments, and without the withdrawal above them."""
    found = _MARK.search(entry.body)
    notes = entry.body[: found.start()] if found else entry.body
    banner = _BANNER.match(notes)
    return notes[banner.end() if banner else 0 :].replace("\r\n", "\n").strip()


def given_in(entry: ForgeRelease) -> dict[str, Any]:
    """What a release of ours was made with, by its comment; empty when there is none."""
    found = _MARK.search(entry.body)
    try:
        given = json.loads(found[1]) if found and found[1] else {}
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _in_comment(given: Mapping[str, Any]) -> str:
    """JSON that cannot end an HTML comment."""
    text = json.dumps(given, sort_keys=True)
    return text.replace("--", "-\\u002d").replace("<", "\\u003c").replace(">", "\\u003e")


def _print(body: str) -> str:
    return hashlib.sha256(body.replace("\r\n", "\n").strip().encode()).hexdigest()[:16]


def _changed(old: ForgeRelease, step: Step, desired: DesiredRelease) -> ForgeRelease:
    if step.kind == "edit":
        return replace(old, name=desired.name, body=desired.marked_body, prerelease=desired.prerelease)
    if step.kind == "publish":
        return replace(old, draft=False)
    others = tuple(asset for asset in old.assets if step.asset is None or asset.id != step.asset.id)
    if step.kind == "upload" and step.file is not None:
        number = min([0, *(asset.id for asset in old.assets)]) - 1
        made = Asset(id=number, name=step.name, size=step.file.size, digest=step.file.digest, whole=True)
        return replace(old, assets=(*old.assets, made))
    if step.kind == "rename" and step.asset is not None:
        return replace(old, assets=(*others, replace(step.asset, name=step.name)))
    return replace(old, assets=others)


def _of_published(entry: ForgeRelease, desired: DesiredRelease) -> Step | None:
    """Nothing, or what an earlier publisher left out. Refuses what differs."""
    if WITHDRAWN in entry.body:
        raise Withdrawn(
            f"{desired.tag} was withdrawn",
            where=entry.url,
            next_step="its notes say what to use instead; release the next version",
        )
    for file in desired.files:
        asset = entry.asset(file.name)
        if asset is not None and asset.whole and not file.record and asset.digest != file.digest:
            raise ReleasedDifferently(
                f"{desired.tag} is out with another {file.name} ({asset.digest[7:19]}…, not {file.sha256[:12]}…)",
                where=entry.url,
                why="the same version was built from something else before",
                next_step="release this as the next version: what people have downloaded cannot change",
            )
    for file in desired.files:
        asset = entry.asset(file.name)
        if asset is not None and asset.whole:
            continue
        if entry.immutable:
            raise ReleaseError(
                f"{desired.tag} is out without {file.name}, and is immutable",
                where=entry.url,
                why="it was published before its files were there",
                next_step=f"shipmate release yank {desired.tag} --reason 'incomplete', and release the next version",
            )
        if step := _of_file(entry, file):
            return step
    return None if entry.immutable else _leftover(entry)


def _of_draft(draft: ForgeRelease, desired: DesiredRelease) -> Step | None:
    same = (draft.name, draft.prerelease) == (desired.name, desired.prerelease)
    if same and (draft.body.replace("\r\n", "\n").strip() == desired.marked_body.strip() or edited(draft)):
        return None
    return Step(kind="edit", what="write the notes of the draft", entry=draft)


def _of_file(entry: ForgeRelease, file: File) -> Step | None:
    """A file arrives under its own name, or beside a broken one under a spare name until that is gone."""
    there, spare = entry.asset(file.name), entry.asset(file.spare)
    if there is not None and _good(there, file):
        return None
    if spare is not None and not _good(spare, file):
        return Step(kind="remove", what=f"remove the broken {file.spare}", entry=entry, asset=spare)
    if there is None and spare is not None:
        return Step(kind="rename", what=f"name {file.spare} {file.name}", entry=entry, asset=spare, name=file.name)
    if there is None:
        return Step(
            kind="upload", what=f"upload {file.name} ({file.size:,} bytes)", entry=entry, file=file, name=file.name
        )
    if spare is None:
        return Step(
            kind="upload", what=f"upload {file.name} beside the one there", entry=entry, file=file, name=file.spare
        )
    return Step(kind="remove", what=f"remove the {file.name} that is replaced", entry=entry, asset=there)


def _good(asset: Asset, file: File) -> bool:
    return asset.whole and asset.digest == file.digest and asset.size == file.size


def _leftover(entry: ForgeRelease) -> Step | None:
    """Spare copies nobody needs any more."""
    for asset in entry.assets:
        found = _SPARE.fullmatch(asset.name)
        if found and entry.asset(found[1]):
            return Step(kind="remove", what=f"remove the spare {asset.name}", entry=entry, asset=asset)
    return None


def _surplus(state: State, keep: ForgeRelease | None) -> Step | None:
    """Drafts of ours beside the one that counts: two runs began at once, or a list did not yet show what was there."""
    for draft in state.drafts:
        if draft is not keep and is_ours(draft):
            return Step(kind="discard", what=f"discard the second draft {draft.id}", entry=draft)
    return None


def _refuse_foreign(state: State, desired: DesiredRelease) -> None:
    for draft in state.drafts:
        if not is_ours(draft):
            raise OpenElsewhere(
                f"a draft of {desired.tag} that this tool did not make is open",
                where=draft.url,
                why="a person or another tool prepares the same release",
                next_step="publish or delete that draft, then run this again",
            )


def _published_as(desired: DesiredRelease) -> str:
    how = (
        "as a pre-release" if desired.prerelease else "as the latest release" if desired.latest else "not as the latest"
    )
    return f"publish {desired.tag} {how}"
