"""From the first shift on nothing that GitHub answers, or does not answer, keeps a release from going live and being marked as stable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import history
from rehearsal.faults import Fault
from tests.actions.workplace import Workplace, workplace
from tests.memory_hosts import MemoryHost
from tests.shop import COMPONENTS, Shop, open_shop

pytestmark = pytest.mark.world

SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
TROUBLE = {
    "errors": {"kind": "status", "status": 500},
    "a secondary limit": {"kind": "status", "status": 403, "body": SECONDARY},
    "a limit of an hour": {"kind": "throttle", "retry_after": 3600},
    "a missing permission": {"kind": "status", "status": 403, "body": {"message": "Resource not accessible"}},
    "a wrong token": {"kind": "status", "status": 401, "body": {"message": "Bad credentials"}},
    "broken connections": {"kind": "cut"},
    "lost answers": {"kind": "lose_answer"},
    "silence": {"kind": "delay", "seconds": 3600},
}


@pytest.fixture
def at(tmp_path: Path, step: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    with open_shop(tmp_path / "shop") as shop, workplace(shop, step, monkeypatch) as made:
        shop.reviewers("release-manager")
        yield made


def from_the_first_shift_on(shop: Shop, monkeypatch: pytest.MonkeyPatch, **trouble: Any) -> None:
    """Every request to GitHub meets it, once any host was asked to move traffic."""

    def arm() -> None:
        if not shop.faults.armed:
            shop.faults.add(Fault(emulator="github", times=None, **trouble))

    for component in COMPONENTS:
        host = shop.host("production", component)
        monkeypatch.setattr(host, "shift", shifting(host, arm))


def shifting(host: MemoryHost, before: Any) -> Any:
    real = host.shift

    def shift(*arguments: Any, **options: Any) -> Any:
        before()
        return real(*arguments, **options)

    return shift


@pytest.mark.parametrize("trouble", TROUBLE)
def test_it_goes_live_and_is_stable_with_a_warning(
    at: Workplace, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trouble == "silence":
        monkeypatch.setattr(history, "LONGEST", 0.5)
    shop = at.shop
    shop.released("v1.0.0")
    shop.proved("v1.1.0")
    run, planned = at.plan("v1.1.0")
    approved = at.approve(run, planned)
    at.deploy(run, planned, approved)
    from_the_first_shift_on(shop, monkeypatch, **TROUBLE[trouble])
    at.go_live(run, planned, approved)
    log = at.step.log
    shop.faults.clear()
    for component in COMPONENTS:
        host = shop.host("production", component)
        assert host.serving() == {"v1.1.0": 100}
        assert host.marks.stable[0] == host.deployments[0].key
    assert at.step.outputs()["state"] == "live"
    warnings = at.step.commands("warning")
    assert (len(warnings), "the ledger could not be updated" in log) == (1, True), log
    assert at.step.commands("error") == []
    asked = [fired for fired in shop.faults.fired if fired.emulator == "github"]
    assert len(asked) <= 4, (
        "what happened at the end is recorded with two tries, and looked up with two where the answer was lost"
    )


@pytest.mark.parametrize(
    "trouble", [TROUBLE["silence"], {"kind": "status", "status": 200, "body": "this is a page of a proxy"}]
)
def test_it_is_so_when_github_ceases_to_answer_before_anything_moves(
    at: Workplace, monkeypatch: pytest.MonkeyPatch, trouble: dict[str, Any]
) -> None:
    """What the job needs it has from the plan's document; the ledger's seconds are used up once, by whatever is recorded first."""
    monkeypatch.setattr(history, "LONGEST", 0.5)
    shop = at.shop
    shop.proved("v1.0.0")
    run, planned = at.plan("v1.0.0")
    approved = at.approve(run, planned)
    at.deploy(run, planned, approved)
    at.releasing(run, planned)
    shop.fault(**trouble, times=None)
    at.act("go_live", **approved)
    assert len(at.step.commands("warning")) == 1
    assert len(shop.faults.fired) <= 2
    shop.faults.clear()
    assert [shop.host("production", component).serving() for component in COMPONENTS] == [{"v1.0.0": 100}] * 2
