"""What each commit of a range does: whether it counts, why, and what of it stands in the notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipelines.manifest.release import Bump
from release.bodies import Body
from release.commits import Header, Message, cut_pulls, parse, read_header
from release.entries import Entry, Rules, highest_bump
from release.history import Commit
from release.ranges import brought
from release.reverts import cancel


class Verdict(NamedTuple):
    """What became of one commit."""

    commit: Commit
    bump: Bump
    why: str
    entries: tuple[Entry, ...] = ()


def judge(
    commits: Sequence[Commit], rules: Rules, *, touching: set[str] | None = None, component: str = ""
) -> list[Verdict]:
    """A verdict for each commit of a range, in the order given.

    The first commit is the range's newest, and every other one is below it. `touching`: ids that change the component's paths, None
    when it has none of its own.
    """
    if not commits:
        return []
    judged = _Range(commits, rules, touching, component or "this component")
    return [judged.verdict(commit) for commit in commits]


class _Range:
    """The commits of one range and how they relate: who brought whom, who takes back whom."""

    def __init__(self, commits: Sequence[Commit], rules: Rules, touching: set[str] | None, component: str) -> None:
        self.rules = rules
        self.touching = touching
        self.component = component
        self.brought_by: Mapping[str, str] = {}
        self.by_hash: Mapping[str, Commit] = {}
        for commit in commits:
            if len(commit.parents) > 1:
                self.brought_by = brought(commits, commits[0].hash)
                self.by_hash = {each.hash: each for each in commits}
                break
        self.cancelled = cancel(commits, self.brought_by)
        self.speaking = self._merges_whose_commits_speak() if self.brought_by else set()
        if touching is not None:
            self.touching = touching | {merge for name, merge in self.brought_by.items() if name in touching}

    def verdict(self, commit: Commit) -> Verdict:
        message = commit.message
        if self.touching is not None and commit.hash not in self.touching:
            return Verdict(commit, "none", f"touches nothing of {self.component}")
        if message.skip:
            return Verdict(commit, "none", "says [skip release]")
        if by := self.cancelled.by.get(commit.hash):
            return Verdict(commit, "none", f"taken back by {by[:9]}")
        if message.merge is not None and message.header is None:
            return self._of_merge(commit, message.merge.pull, message.merge.title)
        if covering := self._covered(commit):
            return Verdict(commit, "none", f"part of {covering}, whose title counts for it")
        return self._of_message(commit, message)

    def _of_message(self, commit: Commit, message: Message) -> Verdict:
        taken = self.cancelled.takes_back.get(commit.hash, ())
        why = f"takes back {', '.join(name[:9] for name in taken)}; both are left out" if taken else ""
        header = message.header
        if message.body is not None and message.body.revert_depth:
            header = None if taken else _header_of_revert(header, message.body)
        pull = self._pull(commit)
        entries: tuple[Entry, ...] = () if header is None else (self.rules.entry(commit, header, message, pull),)
        if message.body is not None and message.body.squashed:
            entries += tuple(self._squashed(commit, message.body.squashed, header, pull))
        if not entries and not why and self.rules.release.unconventional != "none":
            entries = (self.rules.plain(commit, message, pull),)
        return Verdict(commit, highest_bump(entries), why or self._why(message, entries), entries)

    def _pull(self, commit: Commit) -> int:
        message = commit.message
        if message.pulls:
            return message.pulls[-1]
        merge = message.merge
        if merge is None and self.brought_by:
            bringing = self.by_hash.get(self.brought_by.get(commit.hash, ""))
            merge = bringing.message.merge if bringing else None
        return merge.pull if merge else 0

    def _squashed(self, commit: Commit, texts: Sequence[str], header: Header | None, pull: int) -> list[Entry]:
        """Commits listed in a squash body that are Conventional, without those that cancel, or repeat the header or each other."""
        listed = [parse(text, squash_body="blank") for text in texts]
        reverted = {each.body.revert_of for each in listed if each.body and each.body.revert_depth}
        met = {(header.type, header.description)} if header else set()
        entries: list[Entry] = []
        for each in listed:
            is_revert = each.body is not None and each.body.revert_depth > 0
            if each.header is None or is_revert or each.subject in reverted or each.skip:
                continue
            said = (each.header.type, each.header.description)
            if said not in met or (each.body and each.body.breaking):
                met.add(said)
                entries.append(self.rules.entry(commit, each.header, each, pull))
        return entries

    def _of_merge(self, commit: Commit, pull: int, title: str) -> Verdict:
        name = f"#{pull}" if pull else "a branch"
        if commit.hash in self.speaking:
            return Verdict(commit, "none", f"merge of {name}; its commits count themselves")
        header, _ = read_header(cut_pulls(title)[0])
        if header is None:
            said = f"its title {title!r} is no Conventional Commit" if title else "it has no title of its own"
            return Verdict(commit, "none", f"merge of {name}; {said}")
        entry = self.rules.entry(commit, header, commit.message, pull)
        return Verdict(commit, entry.bump, f"title of {name}: {self.rules.because(entry)}", (entry,))

    def _merges_whose_commits_speak(self) -> set[str]:
        """Merges whose own title must not count, because their commits do. With `merge: title`: those without a usable title."""
        speaking: set[str] = set()
        for name, merge in self.brought_by.items():
            if self.rules.release.merge == "title" and _has_title(self.by_hash[merge]):
                continue
            message = self.by_hash[name].message
            if message.header is not None or (message.body and (message.body.revert_depth or message.body.squashed)):
                speaking.add(merge)
        return speaking

    def _covered(self, commit: Commit) -> str:
        """The merge whose title counts instead of this commit; empty when there is none."""
        merge = self.by_hash.get(self.brought_by.get(commit.hash, "")) if self.brought_by else None
        if merge is None or merge.hash in self.speaking or not _has_title(merge):
            return ""
        if merge.hash in self.cancelled.by or merge.message.skip:
            return ""
        pull = merge.message.merge.pull if merge.message.merge else 0
        return f"#{pull}" if pull else merge.short

    def _why(self, message: Message, entries: tuple[Entry, ...]) -> str:
        if not entries:
            if not message.subject:
                return "has no message"
            return message.warnings[0] if message.warnings else "its first line is no Conventional Commit"
        if len(entries) == 1:
            return self.rules.because(entries[0])
        return "; ".join(dict.fromkeys(self.rules.because(entry) for entry in entries))


def _has_title(merge: Commit) -> bool:
    """Whether the message of a merge says what it brings as a Conventional Commit would."""
    found = merge.message.merge
    return merge.message.header is not None or bool(found and read_header(cut_pulls(found.title)[0])[0])


def _header_of_revert(own: Header | None, body: Body) -> Header:
    """What a revert of something released before says: that it is gone, or (reverted again) what is back."""
    title, _ = cut_pulls(body.revert_title)
    inner, _ = read_header(title)
    if body.revert_depth % 2 == 0:
        return inner or Header("revert", "", False, f'Reapply "{title}"')
    scope = (own.scope if own else "") or (inner.scope if inner else "")
    return Header("revert", scope, own.breaking if own else False, inner.description if inner else title)
