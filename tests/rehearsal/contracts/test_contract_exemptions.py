"""No exemption outlives its need: each is left out in turn, and what google-auth sends is then a violation."""

from __future__ import annotations

import contextlib

import pytest

from pipelines.errors import ShipmateError
from rehearsal.contracts import exceptions
from rehearsal.contracts.exceptions import EXEMPTIONS, Exemption
from rehearsal.contracts.middleware import Violation
from tests.pipelines.providers.test_provider_credentials import google


def signing_in() -> list[Violation]:
    """What is wrong while google-auth becomes the deployer."""
    with google() as world:
        credentials, _ = world.credentials()
        with contextlib.suppress(ShipmateError):
            credentials.google()
        seen = list(world.violations)
        world.violations.clear()
    return seen


@pytest.mark.parametrize("left_out", EXEMPTIONS, ids=lambda exemption: f"{exemption.contract} {exemption.path}")
def test_each_exemption_is_needed_by_what_our_clients_send(
    left_out: Exemption, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert signing_in() == []
    monkeypatch.setattr(exceptions, "EXEMPTIONS", tuple(kept for kept in EXEMPTIONS if kept is not left_out))
    assert {(violation.contract, violation.method) for violation in signing_in()} == {
        (left_out.contract, left_out.method)
    }
