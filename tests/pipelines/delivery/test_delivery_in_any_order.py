"""Deliver, be killed, go back, run again, roll back, roll forward, yank, move traffic by hand, in any order, beside an obvious reference:
what is live, where does a rollback go, what does status say?"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from pipelines.delivery.rollback import Request, Result, roll_back
from pipelines.delivery.status import status
from pipelines.errors import RefusedError, ShipmateError
from tests.memory_hosts import Killed
from tests.pipelines.delivery.jobs import Delivery, planned
from tests.shop import COMPONENTS, Shop

pytestmark = pytest.mark.world

STEPS = 14


@dataclass
class Reference:
    """What an operator would write down."""

    live: str = ""
    released: list[str] = field(default_factory=list)
    """In the order in which they were deployed."""
    stable: list[str] = field(default_factory=list)
    """Newest first."""
    failed: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    by_hand: bool = False

    def goes_live(self, release: str) -> None:
        self.live, self.by_hand = release, False
        self.stable = [release, *(each for each in self.stable if each != release)]
        self.failed.discard(release)

    def goes_back(self) -> str:
        """Where a rollback goes; empty when there is nowhere to go."""
        newer = self.released[self.released.index(self.live) + 1 :]
        if any(release in self.stable or release in self.failed for release in newer):
            return self.live  # it was gone back to already
        never = {self.live, *self.failed, *self.withdrawn}
        return next((release for release in self.stable if release not in never), "")


@dataclass
class Story:
    """The shop and the reference, and what was done."""

    shop: Shop
    random: random.Random
    paper: Reference = field(default_factory=Reference)
    history: list[str] = field(default_factory=list)
    unfinished: Delivery | None = None
    """A delivery that was killed and has returned to its base."""

    def version(self) -> str:
        return f"v1.{len(self.paper.released)}.0"

    def serving(self) -> list[dict[str, int]]:
        return [self.shop.host("production", component).serving() for component in COMPONENTS]

    def delivery(self) -> Delivery:
        version = self.version()
        made = planned(self.shop, version, self.shop.artifacts(version))
        self.paper.released.append(version)
        for component in COMPONENTS:
            made.deploy(component)
        return made

    def delivers(self) -> None:
        made = self.delivery()
        made.go_live()
        self.paper.goes_live(self.paper.released[-1])

    def is_killed_and_returns(self) -> None:
        made, before = self.delivery(), self.paper.live
        self.shop.writes.kill_at(self.random.randint(1, 8), after_effect=self.random.random() < 0.5)
        try:
            made.go_live()
        except Killed:
            pass
        else:
            self.shop.writes.spare()
            self.paper.goes_live(self.paper.released[-1])
            return
        self.shop.writes.spare()
        had_traffic = any(self.paper.released[-1] in each for each in self.serving())
        if self.paper.released[-1] in self.shop.host("production", COMPONENTS[0]).marks.stable[:1]:
            had_traffic = True
        result = made.back()
        self.unfinished = made
        if had_traffic:
            assert result.release == before
            self.paper.failed.add(self.paper.released[-1])
            self.paper.goes_live(before)

    def is_run_again(self) -> None:
        if self.unfinished is None:
            return
        _, made = self.unfinished.job()
        try:
            self.unfinished.go_live()
        except ShipmateError:
            # Something else happened since: then it must have left everything as it was, which is looked at below.
            return
        self.paper.goes_live(made.recorded.release)
        self.unfinished = None

    def rolls_back(self) -> None:
        expected = self.paper.goes_back()
        if not expected:
            with pytest.raises(RefusedError):
                self._back()
            return
        was = self.paper.live
        result = self._back()
        assert (result.release, result.changed) == (expected, expected != was)
        if result.changed:
            self.paper.failed.add(was)
            self.paper.goes_live(expected)

    def goes_by_name(self) -> None:
        wanted = self.random.choice(self.paper.released)
        was = self.paper.live
        assert self._back(to=wanted).release == wanted
        order = self.paper.released
        if order.index(was) > order.index(wanted):
            self.paper.failed.add(was)
        if was != wanted or self.paper.by_hand:
            self.paper.goes_live(wanted)
        self.paper.failed.discard(wanted)

    def yanks(self) -> None:
        others = [release for release in self.paper.released if release != self.paper.live]
        if not others:
            return
        wrong = self.random.choice(others)
        for component in COMPONENTS:
            self.shop.host("production", component).mark(
                lambda marks: replace(marks, withdrawn={**marks.withdrawn, wrong: "it loses data"})
            )
        self.paper.withdrawn.add(wrong)

    def _back(self, **asked: str) -> Result:
        return roll_back(self.shop.context("production"), Request(**asked))

    def check(self) -> None:
        assert self.serving() == [{self.paper.live: 100}, {self.paper.live: 100}], self.history
        for component in COMPONENTS:
            marks = self.shop.host("production", component).marks
            assert not marks.restoring, self.history
        rows = status(self.shop.context("production"))
        assert [row["release"] for row in rows] == [self.paper.live] * 2, self.history
        assert {row["stable"] for row in rows} == {"yes"}, self.history


@pytest.mark.parametrize("seed", range(4))
def test_the_hosts_are_as_the_paper_says(shop: Shop, seed: int) -> None:
    story = Story(shop, random.Random(seed))  # noqa: S311 - the same story each time
    story.delivers()
    story.delivers()
    deeds: list[Callable[[], None]] = [
        story.delivers,
        story.is_killed_and_returns,
        story.is_killed_and_returns,
        story.is_run_again,
        story.rolls_back,
        story.rolls_back,
        story.goes_by_name,
        story.yanks,
    ]
    for _ in range(STEPS):
        deed = story.random.choice(deeds)
        story.history.append(f"{deed.__name__} at {story.paper.live}")
        deed()
        story.check()
