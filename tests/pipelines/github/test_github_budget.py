"""The budget of requests: counted by GitHub's headers, refused before GitHub refuses, and the last kept for writes."""

from __future__ import annotations

import pytest

from pipelines.errors import ProviderUnavailable
from pipelines.faults import SURVIVED, Policy
from pipelines.github import GitHub, budget
from pipelines.github.budget import KEPT_FOR_WRITES, Budget
from tests.shop import REPOSITORY, Shop

NOON = 1_900_000_000.0


def headers(left: int, *, limit: int = 1000, resource: str = "core", wait: float = 1800) -> dict[str, str]:
    values = {"limit": str(limit), "remaining": str(left), "reset": str(int(NOON + wait)), "resource": resource}
    return {f"x-ratelimit-{name}": value for name, value in values.items()}


def counted(left: int, **message: object) -> Budget:
    made = Budget(now=lambda: NOON)
    made.count(200, headers(left, **message))  # type: ignore[arg-type]
    return made


def test_nothing_is_refused_while_nothing_is_known_or_enough_is_left() -> None:
    Budget().require(writes=False, where="GitHub", patience=60)
    counted(KEPT_FOR_WRITES + 1).require(writes=False, where="GitHub", patience=60)


def test_the_last_requests_are_kept_for_what_must_be_written() -> None:
    few = counted(KEPT_FOR_WRITES)
    few.require(writes=True, where="GitHub", patience=60)
    with pytest.raises(ProviderUnavailable) as error:
        few.require(writes=False, where="GitHub o/r: GET /x", patience=60)
    assert (
        error.value.what
        == "980 of the 1,000 requests an hour are used, and the last 20 are kept for what must be written"
    )
    assert error.value.where == "GitHub o/r: GET /x"
    assert "all jobs of a repository share" in error.value.why
    assert f"after {few.resets}" in error.value.next_step
    with pytest.raises(ProviderUnavailable, match="1,000 of the 1,000 requests an hour are used\n"):
        counted(0).require(writes=True, where="GitHub", patience=60)


def test_the_next_hour_has_its_own_requests() -> None:
    counted(0, wait=0).require(writes=False, where="GitHub", patience=60)


def test_other_limits_than_that_of_the_documents_do_not_count() -> None:
    found = counted(0, resource="search")
    assert (found.made, found.limit) == (1, None)


def test_scarce_and_in_words() -> None:
    assert not counted(100).scarce
    few = counted(99)
    assert few.scarce
    few.count(304, headers(99))
    assert few.text == f"2 requests (1 unchanged, which cost nothing); 99 of 1,000 are left until {few.resets}"
    assert Budget(made=1).text == "1 request"


@pytest.mark.world
def test_what_is_used_up_is_not_asked_for_and_a_short_wait_is_waited(shop: Shop) -> None:
    waits: list[float] = []
    policy = Policy(sleep=waits.append, jitter=lambda: 0.0)
    github = GitHub(REPOSITORY, shop.job().token, api_url=shop.url, policy=policy)
    path = f"/repos/{REPOSITORY}"
    github.json("GET", path)
    assert (github.budget.made, github.budget.limit) == (1, 1000)
    github.budget.remaining = 0
    with pytest.raises(ProviderUnavailable, match="1,000 of the 1,000 requests an hour are used"):
        github.json("GET", path)
    assert (github.budget.made, waits) == (1, [])
    moments = iter([NOON, NOON + 31])
    github.budget.reset, github.budget.now = NOON + 30, lambda: next(moments)
    github.json("GET", path)
    assert (github.budget.made, waits, len(SURVIVED.events)) == (2, [30.0], 1)


@pytest.mark.world
def test_one_token_has_one_budget_the_one_who_asks(shop: Shop) -> None:
    token = shop.job().token
    for _ in range(2):
        GitHub(REPOSITORY, token, api_url=shop.url).brief().json("GET", f"/repos/{REPOSITORY}")
    assert [used.made for used in budget.used()] == [2]
