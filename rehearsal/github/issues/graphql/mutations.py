"""What `gh` does to issues, and to the comments of pull requests, through GraphQL."""

from __future__ import annotations

from rehearsal.github.graphql.reader import Input, Mutation, Node, Reader
from rehearsal.github.issues import service
from rehearsal.github.issues.graphql.issues import comment as comment_node
from rehearsal.github.issues.graphql.issues import issue as issue_node
from rehearsal.github.issues.rules import check_may_edit


async def _comment(reader: Reader, given: Input) -> Node:
    repository, number = reader.issue_of_id(given["subjectId"])
    reader.allow(repository, "issues:write", "pull_requests:write", role="read")
    issue = repository.issues[number]
    made = await service.add_comment(reader.instance, repository, issue, given["body"], reader.identity)
    page = f"{reader.view.page(repository)}/{'pull' if issue.is_pull else 'issues'}/{number}"
    return {"commentEdge": {"node": comment_node(reader, repository, made, page), "cursor": str(made.id)}}


async def _create_issue(reader: Reader, given: Input) -> Node:
    repository = reader.repository_of_id(given["repositoryId"])
    reader.allow(repository, "issues:write", role="read")
    issue = await service.open_issue(
        reader.instance,
        repository,
        title=given["title"],
        body=given.get("body"),
        labels=[],
        assignees=[],
        by=reader.identity,
    )
    return {"issue": issue_node(reader, repository, issue)}


async def _close_issue(reader: Reader, given: Input) -> Node:
    return await _issue_state(reader, given, "closed")


async def _reopen_issue(reader: Reader, given: Input) -> Node:
    return await _issue_state(reader, given, "open")


async def _issue_state(reader: Reader, given: Input, state: str) -> Node:
    repository, number = reader.issue_of_id(given["issueId"])
    issue = repository.issues[number]
    reader.allow(repository, "issues:write", role="read")
    check_may_edit(reader.identity, repository, issue)
    reason = given.get("stateReason")
    by = reader.identity
    await service.change_state(reader.instance, repository, issue, state, reason and reason.lower(), by)
    return {"issue": issue_node(reader, repository, issue)}


MUTATIONS: dict[str, Mutation] = {
    "addComment": _comment,
    "createIssue": _create_issue,
    "closeIssue": _close_issue,
    "reopenIssue": _reopen_issue,
}
