"""Who made a release: authors and co-authors, and whose first release it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from release.changelog.entries import login_of
from release.changelog.markdown import Safe, escape
from release.commits.git import Git
from release.commits.history import Commit

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}")


class Contributor(NamedTuple):
    """One person."""

    name: Safe
    """`@login` where GitHub knows them (a mention that is meant), otherwise their name."""
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
    commits: Sequence[Commit], logins: Mapping[str, str], pulls: Mapping[str, int], before: set[str] | None
) -> list[Contributor]:
    """Most commits first, then by name; bots left out. `logins`, `pulls`: by commit. `before`: keys of everybody of earlier releases,
    None when there are none."""
    seen = [(person, commit) for commit in commits if len(commit.parents) < 2 for person in _people(commit, logins)]
    found = [_contributor(own, pulls, before) for own in _grouped(seen)]
    return sorted(found, key=lambda each: (-each.commits, each.name.lower()))


def _contributor(
    own: Sequence[tuple[Person, Commit]], pulls: Mapping[str, int], before: set[str] | None
) -> Contributor:
    """One person from every commit that shows them."""
    keys = {key for person, _ in own for key in person.keys}
    shown = next((person for person, _ in own if person.login or login_of(person.email)), own[0][0])
    # Newest first: the last of them is where they began.
    pull = next((pulls[commit.hash] for _, commit in reversed(own) if commit.hash in pulls), 0)
    return Contributor(mention(shown), len(own), before is not None and before.isdisjoint(keys), pull)


def _grouped(seen: Sequence[tuple[Person, Commit]]) -> list[list[tuple[Person, Commit]]]:
    """By person: whoever shares an address or a login, directly or through somebody, is one."""
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


def mention(person: Person) -> Safe:
    login = person.login or login_of(person.email)
    return Safe(f"@{login}") if _LOGIN.fullmatch(login) else escape(person.name or "unknown")


def authors_before(git: Git, commit: str) -> set[str]:
    """Keys of everybody who wrote a commit up to `commit`, from one `git log`."""
    found: set[str] = set()
    rest = b""
    for piece in git.stream("log", "--format=%aE", "--encoding=UTF-8", "--no-show-signature", commit, "--"):
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        found.update(line.decode("utf-8", "replace") for line in set(lines))
    return {key for email in found for key in Person("", email, "").keys}


def _people(commit: Commit, logins: Mapping[str, str]) -> Iterable[Person]:
    for person in (
        Person(commit.author, commit.email, logins.get(commit.hash, "")),
        *(Person(name, email, "") for name, email in commit.message.coauthors),
    ):
        if not (
            person.name.endswith("[bot]") or person.login.endswith("[bot]") or login_of(person.email).endswith("[bot]")
        ):
            yield person
