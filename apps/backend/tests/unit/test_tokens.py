"""Who a request is counted for, and what is left of it for those behind."""

from __future__ import annotations

from typing import Any

import pytest
from backend.middleware.tokens import takes_token

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize(("given", "taken"), [(TOKEN, True), ("another", False)])
def test_the_token_of_a_probe_is_seen_by_nobody_behind(given: str, taken: bool) -> None:
    headers = [(b"host", b"api.test"), (b"x-shipmate-probe", given.encode()), (b"x-shipmate-probe", b"twice")]
    scope: dict[str, Any] = {"type": "http", "headers": headers}
    assert takes_token(scope, "X-Shipmate-Probe", TOKEN) is taken
    assert scope["headers"] == [(b"host", b"api.test")]
