"""Who made a release: authors and co-authors, and whose first release it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

from release.changelog.entries import login_of
from release.changelog.markdown import Safe, escape
from release.commits.git import Git
from release.commits.history import Commit

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}")
_AT_ONCE = 16_384
"""Bytes of mail addresses: some hundred commits, in which most authors are met again."""


class Contributor(NamedTuple):
    """One person."""

    name: Safe
    """`@login` (a mention that is meant) of who opened a pull request of this release, otherwise their login or name as text."""
    commits: int
    first: bool
    """Nothing of theirs was in an earlier release."""
    pull: int
    """The first pull request of theirs in this release, 0 when unknown."""


class Person(NamedTuple):
    """One person as commits show them."""

    name: str
    email: str
    login: str

    @property
    def keys(self) -> set[str]:
        """What tells whether two people are one: mail addresses and logins."""
        login = self.login or login_of(self.email)
        return {self.email.lower()} | ({f"@{login.lower()}"} if login else set())


def contributors(
    commits: Sequence[Commit],
    logins: Mapping[str, str],
    pulls: Mapping[str, int],
    before: Callable[[Sequence[set[str]]], set[str]] | None,
    openers: Collection[str] = (),
) -> list[Contributor]:
    """Most commits first, then by name; bots left out. `logins`, `pulls`: by commit. `before`: given the keys of each person, keys of
    those who wrote in earlier releases (at least one of each such person); None when there are none. `openers`: see Credits."""
    seen = [(person, commit) for commit in commits if len(commit.parents) < 2 for person in _people(commit, logins)]
    groups = _grouped(seen)
    known = before([_keys(own) for own in groups]) if before is not None and groups else None
    found = [_contributor(own, pulls, known, openers) for own in groups]
    return sorted(found, key=lambda each: (-each.commits, each.name.lower()))


def _contributor(
    own: Sequence[tuple[Person, Commit]], pulls: Mapping[str, int], before: set[str] | None, openers: Collection[str]
) -> Contributor:
    """One person from every commit that shows them."""
    shown = next((person for person, _ in own if person.login or login_of(person.email)), own[0][0])
    # Newest first: the last of them is where they began.
    pull = next((pulls[commit.hash] for _, commit in reversed(own) if commit.hash in pulls), 0)
    return Contributor(mention(shown, openers), len(own), before is not None and before.isdisjoint(_keys(own)), pull)


def _keys(own: Sequence[tuple[Person, Commit]]) -> set[str]:
    return {key for person, _ in own for key in person.keys}


def _grouped(seen: Sequence[tuple[Person, Commit]]) -> list[list[tuple[Person, Commit]]]:
    """By person: anyone who shares an address or a login, directly or through someone, is one."""
    groups: list[list[tuple[Person, Commit]]] = []
    of_key: dict[str, int] = {}
    for person, commit in seen:
        near = sorted({of_key[key] for key in person.keys if key in of_key}) or [len(groups)]
        if near[0] == len(groups):
            groups.append([])
        for other in near[1:]:
            groups[near[0]] += groups[other]
            groups[other] = []
            of_key = {key: near[0] if at == other else at for key, at in of_key.items()}
        groups[near[0]].append((person, commit))
        of_key.update(dict.fromkeys(person.keys, near[0]))
    return [group for group in groups if group]


def mention(person: Person, openers: Collection[str]) -> Safe:
    """A live mention for `openers` alone: everybody may write anybody's login into a commit."""
    login = person.login or login_of(person.email)
    if _LOGIN.fullmatch(login) and login.lower() in openers:
        return Safe(f"@{login}")
    return escape(login or person.name or "unknown")


def authors_before(git: Git, commit: str, people: Sequence[set[str]]) -> set[str]:
    """Keys of those who wrote commits up to `commit`, the newest first, until each of `people` (their keys) was met: most are old hands,
    so that it is soon. For someone new it is everybody."""
    found: set[str] = set()
    missing, rest = list(people), b""
    log = ("log", "--format=%aE", "--encoding=UTF-8", "--no-show-signature", commit, "--")
    with closing(git.stream(*log, at_once=_AT_ONCE)) as pieces:
        for piece in pieces:
            *lines, rest = (rest + piece).split(b"\n")
            emails = {line.decode("utf-8", "replace") for line in set(lines)}
            found.update(key for email in emails for key in Person("", email, "").keys)
            missing = [keys for keys in missing if found.isdisjoint(keys)]
            if not missing:
                break
    return found


def _people(commit: Commit, logins: Mapping[str, str]) -> Iterable[Person]:
    for person in (
        Person(commit.author, commit.email, logins.get(commit.hash, "")),
        *(Person(name, email, "") for name, email in commit.message.coauthors),
    ):
        if not (
            person.name.endswith("[bot]") or person.login.endswith("[bot]") or login_of(person.email).endswith("[bot]")
        ):
            yield person
