"""Bad releases that passed staging go to production while users ask: what catches each, how many users see it, and where it ends."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from pipelines.errors import CheckFailed
from pipelines.steps import Done
from tests.notes_site import JOURNEYS, Ask, Behaviour, NotesSite, users
from tests.pipelines.delivery.jobs import Delivery, planned
from tests.shop import COMPONENTS, Shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

BEFORE = "before traffic"
FIRST = "at the first step"
LIVE, NEW = "v1.0.0", "v1.1.0"


def dead(ask: Ask) -> int | None:
    return 503


def blind(ask: Ask) -> int | None:
    """Search is broken while everything else is well."""
    return 500 if ask.path == "/notes/search" else None


def wears_out(ask: Ask) -> int | None:
    """After some requests it answers none: a pool that is used up."""
    return 500 if ask.path.startswith("/notes") and ask.number > 60 else None


def fails_with_traffic(ask: Ask) -> int | None:
    """As one whose workers or caches break once users are there."""
    return 500 if ask.path.startswith("/notes") and ask.traffic else None


BAD: dict[Behaviour, str] = {dead: BEFORE, blind: BEFORE, wears_out: BEFORE, fails_with_traffic: FIRST}
"""One for each gate, in the jobs of a run; the story `bad-releases` has thirteen, with real processes."""


@dataclass
class Platform:
    """A shop whose users write notes, with v1.0.0 in production."""

    shop: Shop
    site: NotesSite

    def delivery(self) -> Delivery:
        return planned(self.shop, NEW, self.shop.artifacts("new"))

    def carry_out(self, delivery: Delivery) -> list[Done]:
        return [done for name in COMPONENTS for done in delivery.deploy(name)] + delivery.go_live()

    def serving(self) -> list[dict[str, int]]:
        return [self.shop.host("production", component).serving() for component in COMPONENTS]


@pytest.fixture
def platform(shop: Shop) -> Platform:
    text = MANIFEST.replace("watch_seconds: 0", "watch_seconds: 1").replace(
        "    github_environment: production-deploy\n",
        "    github_environment: production-deploy\n    watch: {worse_by: 10, slower_by_ms: 100, slower_by: 50}\n",
    )
    shop.commit("feat: notes", files={"shipmate.yml": text + JOURNEYS})
    shop.update()
    site = NotesSite(shop.sites, shop.sites.plain)
    shop.sites.app = site
    shop.live(LIVE, shop.head("main"))
    return Platform(shop, site)


@pytest.mark.parametrize("behaviour", BAD, ids=lambda behaviour: behaviour.__name__)
def test_a_bad_release_is_caught_and_nobody_or_few_see_it(platform: Platform, behaviour: Behaviour) -> None:
    platform.site.behaviours[NEW] = behaviour
    backend = platform.shop.host("production", "backend")
    delivery = platform.delivery()
    with users(platform.shop.http, backend.url) as people:
        with pytest.raises(CheckFailed):
            platform.carry_out(delivery)
        share = backend.serving().get(NEW, 0)
        delivery.back()
        assert platform.serving() == [{LIVE: 100}, {LIVE: 100}]
    assert share == (0 if BAD[behaviour] == BEFORE else 10)
    assert people.asked > 0
    assert people.failed <= (0 if share == 0 else 0.1 * people.asked + 5)
    assert not any(key.startswith("v1-1-0") for key in backend.marks.stable), "it is not what a rollback goes to"
    assert platform.shop.host("production", "web").marks.failed == ({NEW: "its delivery failed"} if share else {})


def fails(share: float) -> Behaviour:
    return lambda ask: 500 if ask.path.startswith("/notes") and ask.chance < share else None


@pytest.mark.parametrize(
    ("live", "new"),
    [(None, None), (fails(0.05), None), (fails(0.2), None), (dead, None)],
    ids=["healthy", "live fails 5 %", "live fails 20 %", "the fix of one that is dead"],
)
def test_a_good_release_goes_live_however_bad_the_one_before_is(
    platform: Platform, live: Behaviour | None, new: Behaviour | None
) -> None:
    for release, behaviour in ((LIVE, live), (NEW, new)):
        if behaviour is not None:
            platform.site.behaviours[release] = behaviour
    delivery = platform.delivery()
    done = platform.carry_out(delivery)
    assert platform.serving() == [{NEW: 100}, {NEW: 100}]
    compared = [each for each in done if each.step.name in ("compare", "shift") and each.step.component == "backend"]
    assert [each.step.name for each in compared] == ["compare", "shift", "shift"]
    context, _ = delivery.job()
    assert context.watches == [], "each job measures for itself"


def test_a_candidate_that_is_worse_than_a_bad_live_one_is_caught(platform: Platform) -> None:
    platform.site.behaviours = {LIVE: fails(0.1), NEW: fails(0.6)}
    with pytest.raises(CheckFailed):
        platform.carry_out(platform.delivery())
    assert platform.serving()[0] == {LIVE: 100}


def test_the_plan_says_what_comparing_takes(platform: Platform) -> None:
    _, made = platform.delivery().job()
    (lines,) = [step.says for _, step in made.steps if step.name == "compare" and step.component == "backend"]
    assert "compare v1.1.0 with what is live, without traffic" in lines
    assert "finds a candidate that always fails after" in lines
    assert json.loads(made.document)["format"] == 3
