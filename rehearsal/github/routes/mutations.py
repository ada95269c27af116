"""What gh changes through GraphQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from rehearsal.github.graphql.reader import Input, Mutation, Node, Reader
from rehearsal.github.issues.graphql import mutations as issues
from rehearsal.github.problems import Problem
from rehearsal.github.pulls.graphql import mutations as pulls


def root(reader: Reader) -> Node:
    """The fields of `mutation`."""

    def field(mutation: Mutation) -> Callable[..., Awaitable[Node]]:
        async def resolve(_: Any, input: Input) -> Node:
            if reader.identity.user is None:
                raise Problem(401, "Requires authentication")
            return {**await mutation(reader, input), "clientMutationId": input.get("clientMutationId")}

        return resolve

    return {name: field(mutation) for name, mutation in {**pulls.MUTATIONS, **issues.MUTATIONS}.items()}
