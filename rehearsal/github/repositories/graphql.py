"""Repositories, their releases and refs: the root of every query."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.rules import role_in
from rehearsal.github.accounts.state import at_least
from rehearsal.github.checks.graphql import reference
from rehearsal.github.graphql.reader import Node, Reader, connection, cut
from rehearsal.github.issues.graphql import issues
from rehearsal.github.problems import Problem
from rehearsal.github.protection.rules import rules_for
from rehearsal.github.pulls.graphql import pull_requests
from rehearsal.github.releases import graphql as releases
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import node_id, stamp


def repository(reader: Reader, one: Repository) -> Node:
    return {
        "__typename": "Repository",
        **_facts(reader, one),
        **_rights(reader, one),
        **_refs(reader, one),
        **_numbered(reader, one),
        **releases.of_repository(reader, one),
    }


def _facts(reader: Reader, one: Repository) -> Node:
    return {
        "id": node_id("Repository", one.id),
        "databaseId": one.id,
        "name": one.name,
        "nameWithOwner": one.full_name,
        "owner": reader.actor(one.owner),
        "description": one.description,
        "url": reader.view.page(one),
        "sshUrl": f"git@github.com:{one.full_name}.git",
        "isPrivate": one.private,
        "isFork": one.fork_of is not None,
        "isArchived": False,
        "isEmpty": not reader.git(one).refs,
        "isInOrganization": reader.view.user(one.owner).type == "Organization",
        "visibility": "PRIVATE" if one.private else "PUBLIC",
        "createdAt": stamp(one.created_at),
        "pushedAt": stamp(one.pushed_at),
        "updatedAt": stamp(one.updated_at),
        "hasIssuesEnabled": True,
        "hasWikiEnabled": False,
        "hasProjectsEnabled": False,
    }


def _rights(reader: Reader, one: Repository) -> Node:
    role = role_in(reader.identity, one)
    return {
        "mergeCommitAllowed": one.settings.allow_merge_commit,
        "rebaseMergeAllowed": one.settings.allow_rebase_merge,
        "squashMergeAllowed": one.settings.allow_squash_merge,
        "deleteBranchOnMerge": one.settings.delete_branch_on_merge,
        "autoMergeAllowed": False,
        "viewerPermission": None if role == "none" else role.upper(),
        "viewerCanAdminister": at_least(role, "admin"),
        "viewerDefaultMergeMethod": "MERGE",
        "viewerDefaultCommitEmail": None,
        "assignableUsers": connection(list(one.roles), reader.actor),
    }


def _refs(reader: Reader, one: Repository) -> Node:
    refs = reader.git(one).refs

    def ref(name: str) -> Node | None:
        if name not in refs:
            return None
        prefix = "/".join(name.split("/")[:2]) + "/"
        return {
            "id": node_id("Ref", f"{one.id}/{name}"),
            "name": name.removeprefix(prefix),
            "prefix": prefix,
            "target": reference(refs[name]),
            "branchProtectionRule": _protection(one, name),
        }

    parent = reader.instance.database.repository(one.fork_of) if one.fork_of is not None else None
    return {
        "defaultBranchRef": ref(f"refs/heads/{one.default_branch}"),
        "ref": lambda _, qualifiedName: ref(qualifiedName),
        "parent": repository(reader, parent) if parent is not None else None,
    }


def _protection(one: Repository, ref: str) -> Node | None:
    rules = rules_for(one, ref)
    if not rules.protected or not ref.startswith("refs/heads/"):
        return None
    return {
        "requiresStrictStatusChecks": rules.strict,
        "requiredApprovingReviewCount": rules.reviews,
        "requiresApprovingReviews": rules.reviews > 0,
        "requiresStatusChecks": bool(rules.contexts),
        "requiredStatusCheckContexts": list(rules.contexts),
    }


def _numbered(reader: Reader, one: Repository) -> Node:
    def pull_request(_: Any, number: int) -> Node:
        reader.allow(one, "pull_requests:read")
        if number not in one.pulls:
            raise Problem(404, f"Could not resolve to a PullRequest with the number of {number}.")
        return pull_requests.pull(reader, one, one.pulls[number])

    def issue(_: Any, number: int) -> Node:
        reader.allow(one, "issues:read")
        if number not in one.issues or one.issues[number].is_pull:
            raise Problem(404, f"Could not resolve to an Issue with the number of {number}.")
        return issues.issue(reader, one, one.issues[number])

    def either(info: Any, number: int) -> Node:
        if number not in one.issues:
            raise Problem(404, f"Could not resolve to an issue or pull request with the number of {number}.")
        return pull_request(info, number) if number in one.pulls else issue(info, number)

    def all_pulls(_: Any, first: int | None = None, after: str | None = None, **arguments: Any) -> Node:
        reader.allow(one, "pull_requests:read")
        found = pull_requests.listed(one, arguments)
        last = arguments.get("last")
        return cut(found, lambda pull: pull_requests.pull(reader, one, pull), first=first, after=after, last=last)

    def all_issues(_: Any, first: int | None = None, after: str | None = None, **arguments: Any) -> Node:
        reader.allow(one, "issues:read")
        found = issues.listed(reader, one, arguments)
        last = arguments.get("last")
        return cut(found, lambda issue: issues.issue(reader, one, issue), first=first, after=after, last=last)

    return {
        "pullRequest": pull_request,
        "pullRequests": all_pulls,
        "issue": issue,
        "issues": all_issues,
        "issueOrPullRequest": either,
        "labels": connection(list(one.labels.values()), issues.label),
        "mergeQueue": lambda _, branch=None: pull_requests.queue(reader, one, branch or one.default_branch),
    }
