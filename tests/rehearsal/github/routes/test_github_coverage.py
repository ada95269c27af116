"""Everything this GitHub serves exists on GitHub."""

from __future__ import annotations

import re

import pytest

from rehearsal.contracts.contract import load
from rehearsal.github.rest.endpoint import Endpoint
from rehearsal.github.rest.root import PATH as ROOT
from rehearsal.github.routes.rest import all_endpoints

# What GitHub does and its description leaves out.
UNDESCRIBED = {
    ("GET", "/repos/{owner}/{repo}/contents"),  # the root folder: the description wants a path
    ("POST", "/graphql"),  # the description is of REST; the few queries gh sends are answered by name
    ("POST", "/api/graphql"),
}


@pytest.mark.parametrize("endpoint", all_endpoints(), ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_an_endpoint_is_one_of_githubs(endpoint: Endpoint) -> None:
    if (endpoint.method, endpoint.path) in UNDESCRIBED or endpoint.path == ROOT:
        return
    operation = load("github").operation(endpoint.method, re.sub(r"\{[^}]*\}", "x", endpoint.path))
    assert operation is not None
    pairs = list(zip(endpoint.path.split("/"), operation.path.split("/"), strict=True))
    assert all(theirs.startswith("{") or ours == theirs for ours, theirs in pairs), operation.path


def test_no_path_is_served_twice() -> None:
    served = [(endpoint.method, re.sub(r"\{[^}]*\}", "{}", endpoint.path)) for endpoint in all_endpoints()]
    assert sorted(served) == sorted(set(served))
