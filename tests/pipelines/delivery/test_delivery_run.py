"""The loop that carries plans out."""

import io

import pytest

from pipelines.delivery.run import Step, as_markdown, carry_out
from pipelines.errors import CheckFailed
from pipelines.runtime import Runtime


def step(action: str, done: str = "") -> Step:
    return Step(action=action, component="backend", says=f"do {action}", done=done)


def test_in_order_skipping_what_is_done() -> None:
    did: list[str] = []

    def act(step: Step) -> str:
        did.append(step.action)
        return "well"

    done = carry_out(
        [step("a"), step("b", "was there"), step("c")], {"a": act, "c": act}, Runtime(environ={}, stream=io.StringIO())
    )
    assert did == ["a", "c"]
    assert [d.text for d in done] == ["well", "was there", "well"]


def test_a_failure_names_its_step_and_stops() -> None:
    did: list[str] = []

    def fail(step: Step) -> str:
        raise CheckFailed("it is ill", where="https://x.test")

    def act(step: Step) -> str:
        did.append(step.action)
        return ""

    with pytest.raises(CheckFailed) as caught:
        carry_out([step("a"), step("b")], {"a": fail, "b": act}, Runtime(environ={}, stream=io.StringIO()))
    assert str(caught.value) == "backend, step 1/2 (do a): https://x.test: it is ill"
    assert did == []


def test_a_table_cannot_be_broken_by_text_from_outside() -> None:
    evil = Step(action="a", component="backend", says="x | y\n<img>", done="ok")
    row = as_markdown(carry_out([evil], {}, Runtime(environ={}, stream=io.StringIO()))).splitlines()[2]
    assert row == "| backend | x \\| y &lt;img> | ok | 0.0 s |"
