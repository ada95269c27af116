"""Searching issues and pull requests, by the qualifiers `gh pr status` and `gh issue status` use."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from rehearsal.github.graphql.reader import Node, Reader, cut
from rehearsal.github.issues.graphql import issues
from rehearsal.github.issues.state import Issue
from rehearsal.github.problems import Problem
from rehearsal.github.pulls.graphql import pull_requests
from rehearsal.github.repositories.state import Repository

Matches = Callable[[Repository, Issue], bool]


def search(reader: Reader, query: str, *, first: int | None, after: str | None, last: int | None) -> Node:
    """Newest first. Raises Problem 422 for a qualifier that is not known here, or a search without `repo:`."""
    words = shlex.split(query)
    names = [word.removeprefix("repo:") for word in words if word.startswith("repo:")]
    if not names:
        raise Problem(422, "A search has to name its repository here: repo:owner/name")
    conditions = [_condition(reader, word) for word in words if not word.startswith("repo:")]
    found = []
    for name in names:
        owner, _, short = name.partition("/")
        repository = reader.repository(owner, short)
        every = repository.issues.values()
        found += [(repository, one) for one in every if all(condition(repository, one) for condition in conditions)]
    found.sort(key=lambda pair: pair[1].created_at, reverse=True)
    part = cut(found, lambda pair: _node(reader, *pair), first=first, after=after, last=last)
    return {**part, "issueCount": part["totalCount"]}


def _node(reader: Reader, repository: Repository, one: Issue) -> Node:
    if one.is_pull:
        return pull_requests.pull(reader, repository, repository.pulls[one.number])
    return issues.issue(reader, repository, one)


def _condition(reader: Reader, word: str) -> Matches:
    name, colon, value = word.partition(":")
    login = reader.identity.login if value == "@me" else value
    if not colon:
        return lambda _, one: word.lower() in one.title.lower()
    if name in ("is", "type", "state"):
        return _kind(value)
    known: dict[str, Matches] = {
        "author": lambda _, one: one.user == login,
        "assignee": lambda _, one: login in one.assignees,
        "label": lambda _, one: value in one.labels,
        "mentions": lambda repository, one: _mentions(repository, one, login),
        "involves": lambda repository, one: one.user == login or _mentions(repository, one, login),
        "review-requested": lambda repository, one: (
            one.is_pull and login in repository.pulls[one.number].requested_reviewers
        ),
        "head": lambda repository, one: one.is_pull and repository.pulls[one.number].head_ref == value,
    }
    if name not in known:
        raise Problem(422, f"The search qualifier {name}: is not known here; known are {', '.join(sorted(known))}.")
    return known[name]


def _kind(value: str) -> Matches:
    kinds: dict[str, Matches] = {
        "pr": lambda _, one: one.is_pull,
        "issue": lambda _, one: not one.is_pull,
        "open": lambda _, one: one.state == "open",
        "closed": lambda _, one: one.state == "closed",
        "merged": lambda repository, one: one.is_pull and repository.pulls[one.number].merged_at is not None,
    }
    if value not in kinds:
        raise Problem(422, f"is:{value} is not known here; known are {', '.join(sorted(kinds))}.")
    return kinds[value]


def _mentions(repository: Repository, one: Issue, login: str) -> bool:
    texts = [one.body or "", *(comment.body for comment in repository.comments_of(one.number))]
    return any(f"@{login}" in text for text in texts)
