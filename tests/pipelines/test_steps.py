"""The loop that carries steps out."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import pytest

from pipelines.delivery.context import Context
from pipelines.delivery.steps.base import Step
from pipelines.errors import CheckFailed, InputError
from pipelines.roles import Live
from pipelines.runtime import Runtime
from pipelines.steps import as_markdown, carry_out


class Looked:
    """A host whose state is counted each time it is asked for."""

    def __init__(self) -> None:
        self.times = 0

    def live(self) -> Live:
        self.times += 1
        return Live(url="https://x.test")


class Place:
    """What of a context the loop uses."""

    def __init__(self) -> None:
        self.runtime = Runtime(environ={}, stream=io.StringIO())
        self.at = Looked()
        self.did: list[str] = []

    def host(self, component: str) -> Looked:
        return self.at

    @property
    def log(self) -> str:
        found: Any = self.runtime.stream
        return str(found.getvalue())


@dataclass(frozen=True, kw_only=True)
class Some(Step):
    name: ClassVar[str] = "some"
    observes: ClassVar[bool] = True
    does: str
    there: str = ""
    fails: str = ""

    @property
    def says(self) -> str:
        return f"do {self.does}"

    def done(self, live: Live) -> str:
        return self.there

    def run(self, context: Context) -> str:
        if self.fails:
            raise CheckFailed(self.fails, where="https://x.test")
        cast(Place, context).did.append(self.does)
        return "well"


@dataclass(frozen=True, kw_only=True)
class Blind(Some):
    """Asks no state, whatever it would say of it."""

    observes: ClassVar[bool] = False


def step(does: str, **more: str) -> Some:
    return Some(component="api", does=does, **more)


def carried_out(place: Place, *steps: Step) -> Any:
    return carry_out(steps, cast(Context, place))


def test_in_order_skipping_what_the_real_state_says_is_done() -> None:
    place = Place()
    done = carried_out(place, step("a"), step("b", there="was there"), step("c"))
    assert place.did == ["a", "c"]
    assert [(d.text, d.skipped) for d in done] == [("well", False), ("was there", True), ("well", False)]
    assert place.at.times == 3, "each looks at the state that the one before left"
    assert "▸ 1/3 api: do a" in place.log
    assert "✓ 2/3 api: do b — was there" in place.log
    assert "✓ api: well (" in place.log


def test_a_step_that_observes_nothing_is_never_done_already() -> None:
    place = Place()
    blind = Blind(component="production", does="a", there="was there")
    assert not blind.already(cast(Context, place))
    (done,) = carried_out(place, blind)
    assert (done.skipped, place.at.times) == (False, 0)


def test_a_failure_names_its_step_and_stops() -> None:
    place = Place()
    with pytest.raises(CheckFailed) as caught:
        carried_out(place, step("a", fails="it is ill"), step("b"))
    assert str(caught.value) == "api, step 1/2 (do a): https://x.test: it is ill"
    assert place.did == []


def test_a_failure_to_look_names_its_step_too() -> None:
    place = Place()

    def refuse() -> Live:
        raise InputError("no such thing")

    place.at.live = refuse  # type: ignore[method-assign]
    with pytest.raises(InputError) as caught:
        carried_out(place, step("a"))
    assert str(caught.value) == "api, step 1/1 (do a): no such thing"


def test_a_table_cannot_be_broken_by_text_from_outside() -> None:
    evil = step("x | y\n<img>", there="ok")
    row = as_markdown(carried_out(Place(), evil)).splitlines()[2]
    assert row == "| api | do x \\| y &lt;img> | ok | 0.0 s |"
