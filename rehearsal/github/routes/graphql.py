"""POST /graphql."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehearsal.github.graphql.reader import Node, Reader, is_a
from rehearsal.github.issues.graphql import issues
from rehearsal.github.problems import Problem
from rehearsal.github.pulls.graphql import pull_requests
from rehearsal.github.repositories import graphql as repositories
from rehearsal.github.rest.answers import Answer, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints
from rehearsal.github.routes import mutations
from rehearsal.github.routes.search import search

if TYPE_CHECKING:
    from graphql import GraphQLError, GraphQLSchema

endpoints = Endpoints()

_TYPES = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND"}


@endpoints.add("POST", "/graphql")
async def query(call: Call) -> Answer:
    """Answers 200 whatever the query came to, with `errors` beside or instead of `data`."""
    # The library takes a quarter of a second to import: only who uses gh pays for it.
    from graphql import GraphQLError, OverlappingFieldsCanBeMergedRule, parse, specified_rules, validate
    from graphql.execution import execute

    if call.identity.user is None:
        raise Problem(401, "This endpoint requires you to be authenticated.")
    reader = Reader(instance=call.instance, identity=call.identity, view=call.view)
    variables = call.fields.part("variables")
    try:
        document = parse(call.fields.required_text("query"))
    except GraphQLError as error:
        return ok({"errors": [_error(error)]})
    # GitHub lets fields of one name have different types in different branches, which the standard's rule forbids.
    rules = [rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule]
    problems = validate(schema(), document, rules)
    if problems:
        return ok({"errors": [_error(problem) for problem in problems]})
    outcome = execute(
        schema(),
        document,
        root_value={**_root(reader), **mutations.root(reader)},
        variable_values=variables.values if variables is not None else {},
        operation_name=call.fields.maybe_text("operationName"),
    )
    result: Any = await outcome if hasattr(outcome, "__await__") else outcome
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [_error(error) for error in result.errors]
    return ok(body)


@cache
def schema() -> GraphQLSchema:
    """The part of GitHub's schema that is answered."""
    from graphql import build_schema

    return build_schema(Path(__file__).with_name("schema.graphql").read_text())


def _root(reader: Reader) -> Node:
    def repository(_: Any, owner: str, name: str, **__: Any) -> Node:
        return repositories.repository(reader, reader.repository(owner, name))

    def account(kind: tuple[str, ...]) -> Any:
        def find(_: Any, login: str) -> Node | None:
            user = reader.instance.database.users.get(login)
            if user is None or user.type not in kind:
                raise Problem(404, f"Could not resolve to a {kind[0]} with the login of '{login}'.")
            return reader.actor(login)

        return find

    def node(_: Any, id: str) -> Node:
        if is_a("Repository", id):
            return repositories.repository(reader, reader.repository_of_id(id))
        if is_a("PullRequest", id):
            return pull_requests.pull(reader, *reader.pull_of_id(id))
        repository, number = reader.issue_of_id(id)
        return issues.issue(reader, repository, repository.issues[number])

    def find(_: Any, query: str, **arguments: Any) -> Node:
        window = {name: arguments.get(name) for name in ("first", "after", "last")}
        return search(reader, query, **window)

    return {
        "repository": repository,
        "viewer": lambda _: {**(reader.actor(reader.identity.login) or {}), "__typename": "User"},
        "user": account(("User",)),
        "organization": account(("Organization",)),
        "repositoryOwner": account(("User", "Organization")),
        "node": node,
        "search": find,
    }


def _error(error: GraphQLError) -> dict[str, Any]:
    """In GitHub's shape: a type beside the message, where what went wrong has one."""
    shown: dict[str, Any] = dict(error.formatted)
    cause = error.original_error
    if isinstance(cause, Problem):
        details = [one.get("message") if isinstance(one, dict) else str(one) for one in cause.errors or []]
        shown["message"] = next((text for text in details if text), cause.message)
        shown["type"] = _TYPES.get(cause.status, "UNPROCESSABLE")
    return shown
