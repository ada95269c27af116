"""Entries as what templates print: each part escaped, with its links."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from release.changelog.markdown import Safe, escape
from release.changelog.passages import MarkdownBlock, paragraphs, passages
from release.commits.web import NOWHERE, Web
from release.versions.rules import BREAKING, ChangelogEntry

_NOREPLY = re.compile(r"(?:\d+\+)?([\w-]+(?:\[bot\])?)@users\.noreply\.github\.com", re.IGNORECASE)


class PrintedEntry(NamedTuple):
    """One entry, ready to print."""

    scope: Safe
    text: Safe
    reference: Safe
    """Its pull request, or its commit, as a link."""
    author: Safe
    breaking: bool
    breaks: list[Safe]
    """What a breaking change breaks, a paragraph, list or code block each."""
    upgrade: list[Safe]
    """How to upgrade, the same."""
    type: str
    pull: int
    commit: str

    @property
    def item(self) -> Safe:
        """The entry as an item of a list, of several lines when it is breaking or says how to upgrade."""
        scope = f"**{self.scope}:** " if self.scope else ""
        first = f"- {scope}{self.text} ({self.reference}, {self.author})"
        below = [*self.breaks, *self._how()] if self.breaking else self._how() if self.upgrade else []
        return Safe("\n\n  ".join([first, *below]))

    def _how(self) -> list[str]:
        if not self.upgrade:
            return [] if self.breaks else [f"**How to upgrade:** its author did not say; see {self.reference}."]
        first, *rest = self.upgrade
        return [
            *(["**How to upgrade:**", first] if isinstance(first, MarkdownBlock) else [f"**How to upgrade:** {first}"]),
            *rest,
        ]


class Group:
    """A heading and its lines; those are made when they are asked for, and not for `text`, which most templates print."""

    __slots__ = ("_printer", "entries", "title")

    def __init__(self, title: str, entries: Sequence[ChangelogEntry], printer: Printer) -> None:
        self.title = title
        self.entries = entries
        self._printer = printer

    @property
    def lines(self) -> list[PrintedEntry]:
        return [self._printer.line(entry) for entry in self.entries]

    @property
    def text(self) -> Safe:
        """All items, one below the other."""
        item = self._printer.item
        return Safe("\n".join([item(entry) for entry in self.entries]))


@dataclass(frozen=True)
class Printer:
    """Makes lines of entries. `authors` and `pulls` (by commit id) replace what git alone says."""

    web: Web = NOWHERE
    authors: Mapping[str, Safe] = field(default_factory=dict)
    pulls: Mapping[str, int] = field(default_factory=dict)

    def groups(self, entries: Sequence[tuple[str, Sequence[ChangelogEntry]]]) -> list[Group]:
        return [Group(title, own, self) for title, own in entries]

    def item(self, entry: ChangelogEntry) -> str:
        """`line(entry).item`, without making the line of an ordinary entry: histories have tens of thousands."""
        if entry.group == BREAKING or entry.upgrade:
            return self.line(entry).item
        commit, header = entry.commit, entry.header
        scope = f"**{_word(header.scope)}:** " if header.scope else ""
        who = self.authors.get(commit.hash) or author(commit.author, commit.email)
        reference = self._reference(entry.pull or self.pulls.get(commit.hash, 0), commit.hash)
        return f"- {scope}{escape(header.description)} ({reference}, {who})"

    def line(self, entry: ChangelogEntry) -> PrintedEntry:
        commit, header = entry.commit, entry.header
        pull = entry.pull or self.pulls.get(commit.hash, 0)
        breaks, upgrade = _how_to_upgrade(entry) if entry.breaking or entry.upgrade else ([], [])
        return PrintedEntry(
            _word(header.scope),
            escape(header.description),
            self._reference(pull, commit.hash),
            self.authors.get(commit.hash) or author(commit.author, commit.email),
            entry.group == BREAKING,
            breaks,
            upgrade,
            header.type,
            pull,
            commit.hash,
        )

    def _reference(self, pull: int, commit: str) -> Safe:
        if not self.web.repository:
            return Safe(f"#{pull}") if pull else Safe(commit[:9])
        if pull:
            return Safe(f"[#{pull}]({self.web.pull(pull)})")
        return Safe(f"[{commit[:9]}]({self.web.commit(commit)})")


@lru_cache(maxsize=4096)
def _word(text: str) -> Safe:
    """`escape` for words that come again and again."""
    return escape(text)


@lru_cache(maxsize=4096)
def author(name: str, email: str) -> Safe:
    """Who made a commit, as git tells it: the login where GitHub's own address says it, otherwise the name."""
    return escape(login_of(email) or name or "unknown")


def login_of(email: str) -> str:
    """The login in one of GitHub's own addresses; empty otherwise."""
    found = _NOREPLY.fullmatch(email) if email.endswith("github.com") else None
    return found[1] if found else ""


def _how_to_upgrade(entry: ChangelogEntry) -> tuple[list[Safe], list[Safe]]:
    """What breaks and how to upgrade. Without an Upgrade footer, what follows the first passage says how."""
    upgrade = [part for text in entry.upgrade for part in paragraphs(text)]
    if upgrade or len(entry.breaking) != 1:
        return [part for text in entry.breaking for part in paragraphs(text)], upgrade
    message = passages(entry.breaking[0])
    first = next((place for place, passage in enumerate(message) if not passage[-1].endswith(":")), 0)
    breaks, how = message[: first + 1], message[first + 1 :]
    return [part for passage in breaks for part in passage], [part for passage in how for part in passage]
