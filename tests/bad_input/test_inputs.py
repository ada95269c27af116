"""Inputs that no workflow and no action knows: refused by name, before anything starts."""

from __future__ import annotations

import pytest

from tests.bad_input.conftest import Desk

pytestmark = pytest.mark.world


@pytest.mark.parametrize(
    ("action", "inputs", "message"),
    [
        ("plan_release", {"environment": "prod", "version": "v1.0.0"}, "there is no environment 'prod'"),
        (
            "rollback",
            {"environment": "production", "components": "backend,mobile"},
            "'mobile' does not live in production",
        ),
        ("build_component", {"component": "desktop"}, "there is no component 'desktop'"),
        ("deploy_component", {"environment": "staging", "component": "desktop"}, "desktop"),
        ("go_live", {"environment": "production", "plan": "0" * 64}, "there is no plan"),
        (
            "approval_gate",
            {"environment": "production", "plan": "0" * 64, "wait_minutes": "soon"},
            "'soon' is no number",
        ),
        ("approval_gate", {"environment": "production", "plan": "0" * 64, "wait_minutes": "-1"}, "'-1' is no number"),
        ("notify", {"environment": "staging", "needs": "{'a': 1}"}, "`needs` is not JSON"),
    ],
)
def test_a_value_that_is_not_there_names_what_is(desk: Desk, action: str, inputs: dict[str, str], message: str) -> None:
    given = {
        "token": desk.shop.job().token,
        "vercel_token": "token",
        "version": "v1.0.0",
        "commit": desk.shop.head("main"),
        "plan": "",
        "source": ".",
        **inputs,
    }
    ended = desk.step(action, **given)
    (error,) = ended.commands("error")
    assert (ended.code, message in error, "next: " in error) == (4, True, True), error
    desk.nothing_was_written()
