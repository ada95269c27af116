"""Runs of a workflow take their turns in the order in which they began."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from pipelines.delivery import turn
from pipelines.errors import ConflictError, InputError
from pipelines.faults import Policy
from pipelines.runtime import Runtime
from rehearsal.runner.model import Run
from tests.shop import REPOSITORY, Job, Shop

pytestmark = pytest.mark.world


def wait(shop: Shop, run: Run, between: Callable[[int], None], minutes: float = 1) -> tuple[list[str], str]:
    """What was waited for, and what was said; `between` is called with the number of each pause."""
    pauses = iter(range(1, 100))
    client = shop.client(shop.job(run).token)
    client.policy = Policy(scale=1.0, sleep=lambda _seconds: between(next(pauses)))
    runtime = Runtime(environ=Job(run=run).environ(), stream=io.StringIO())
    waited = turn.wait(client, runtime, minutes=minutes)
    return waited, runtime.stream.getvalue()  # type: ignore[attr-defined]


def page(shop: Shop, run: Run) -> str:
    return f"{shop.url}/{REPOSITORY}/actions/runs/{run.id}"


def never(_pause: int) -> None:
    pytest.fail("there was nobody to wait for")


def test_the_first_waits_for_nobody(shop: Shop) -> None:
    first, _later = shop.start(), shop.start()
    assert wait(shop, first, never) == ([], "")


@pytest.mark.parametrize("conclusion", ["success", "failure", "cancelled"])
def test_a_later_one_goes_when_every_earlier_one_ended_however_it_ended(shop: Shop, conclusion: str) -> None:
    runs = shop.start(), shop.start(), shop.start()
    waited, said = wait(shop, runs[2], lambda pause: shop.end(runs[pause - 1], conclusion))
    assert waited == [page(shop, runs[1]), page(shop, runs[0])]
    assert said.count("waiting for") == 2


def test_one_that_does_not_end_is_named(shop: Shop) -> None:
    hanging, own = shop.start(), shop.start()
    looks: list[int] = []
    with pytest.raises(ConflictError, match=r"1 earlier run\(s\) of Deploy to Production did not end within 1") as late:
        wait(shop, own, looks.append)
    assert late.value.where == page(shop, hanging)
    assert len(looks) == 5  # one look in ten seconds


def test_a_terminal_has_no_turn(shop: Shop) -> None:
    with pytest.raises(InputError, match="GITHUB_RUN_ID"):
        turn.wait(shop.client(shop.job().token), Runtime(environ={}), minutes=1)
