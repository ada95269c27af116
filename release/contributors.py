"""Who made a release: authors and co-authors, and whose first release it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from release.git import Git
from release.history import Commit
from release.lines import login_of
from release.markdown import Safe, escape

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}")


class Contributor(NamedTuple):
    """One person."""

    name: Safe
    """`@login` where GitHub knows them (a mention that is meant), otherwise their name."""
    commits: int
    first: bool
    """Nothing of theirs was in an earlier release."""
    pull: int
    """A pull request of theirs in this release, 0 when unknown."""


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
    people: list[Person] = []
    known: dict[str, int] = {}
    counts: dict[int, int] = {}
    shown: dict[int, int] = {}
    for commit in commits:
        if len(commit.parents) > 1:
            continue
        for person in _people(commit, logins):
            number = _same(person, people, known)
            counts[number] = counts.get(number, 0) + 1
            shown[number] = shown.get(number) or pulls.get(commit.hash, 0)
    found = [
        Contributor(
            mention(people[number]), count, before is not None and before.isdisjoint(people[number].keys), shown[number]
        )
        for number, count in counts.items()
    ]
    return sorted(found, key=lambda each: (-each.commits, each.name.lower()))


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


def _same(person: Person, people: list[Person], known: dict[str, int]) -> int:
    """The number of this person among those met, who may have used another address."""
    number = next((known[key] for key in person.keys if key in known), len(people))
    if number == len(people):
        people.append(person)
    elif person.login and not people[number].login:
        people[number] = people[number]._replace(login=person.login)
    for key in person.keys:
        known.setdefault(key, number)
    return number
