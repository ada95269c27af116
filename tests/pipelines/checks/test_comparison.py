"""The watch that compares: what it asks, when it ends and with what words, on a clock that is turned by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from starlette.types import Receive, Scope, Send

from pipelines.checks import comparison
from pipelines.checks.comparison import (
    AT_ONCE,
    WARM_UPS,
    Address,
    Ask,
    Paired,
    PairedWatch,
    cost,
    paired,
    pairs_at_most,
    rate_of,
)
from pipelines.checks.sequential import Outcome
from pipelines.clock import Clock
from pipelines.errors import CheckFailed
from pipelines.http import Http
from pipelines.manifest.model import Journey, JourneyRequest, Watch
from pipelines.overlay import Overlay
from rehearsal.serving import running


@dataclass
class Hands:
    """What is turned by the waiting caller. Real seconds."""

    now: float = 0.0

    def read(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Asked:
    """A side that keeps who was asked, in which order."""

    name: str
    answers: Callable[[int], Outcome | None]
    order: list[str] = field(default_factory=list)
    count: int = 0

    def __call__(self) -> Outcome | None:
        self.order.append(self.name)
        self.count += 1
        return self.answers(self.count)


def fine(_: int) -> Outcome:
    return Outcome(False, 20)


def broken(_: int) -> Outcome:
    return Outcome(True, 5, "answered 500 instead of 200")


def limited(_: int) -> None:
    return None


def at_once(work: Callable[[], None]) -> None:
    work()


def watch_of(
    candidate: Ask,
    live: Ask | None,
    *,
    hands: Hands | None = None,
    scale: float = 1.0,
    start: Callable[[Callable[[], None]], None] = at_once,
    names: tuple[str, ...] = ("notes",),
    **watch: float,
) -> PairedWatch:
    hands = hands or Hands()
    return PairedWatch(
        title="backend, 10 %",
        journeys=[Paired(name=name, candidate=candidate, live=live) for name in names],
        watch=Watch(**watch),
        parts=4,
        clock=Clock(scale=scale, real=hands.read, wait=hands.wait),
        chance=random.Random(1),  # noqa: S311
        start=start,
    )


def test_a_candidate_that_is_as_good_as_live_is_watched_for_as_long_as_asked() -> None:
    hands = Hands()
    record = watch_of(lambda: fine(0), lambda: fine(0), hands=hands).hold(30)
    assert (record.decision, record.pairs, record.skipped) == ("not worse", 301, 0)
    assert hands.now == pytest.approx(30)
    assert "not worse than live: the candidate failed 0 and live 0 of 301 visits each" in record.says


def test_a_short_watch_goes_on_until_it_is_decided() -> None:
    record = watch_of(lambda: fine(0), lambda: fine(0)).hold(1)
    assert (record.decision, record.pairs) == ("not worse", 198)


def test_a_candidate_that_always_fails_is_stopped_in_a_second() -> None:
    hands = Hands()
    watch = watch_of(lambda: broken(0), lambda: fine(0), hands=hands)
    with pytest.raises(CheckFailed, match="the candidate fails more often than live") as caught:
        watch.hold(30)
    assert (watch.record.decision, watch.record.pairs) == ("worse", 10)
    assert hands.now < 1
    assert caught.value.where == "backend, 10 %"
    assert "most often: notes: answered 500 instead of 200 (10 times)" in caught.value.what


def test_a_dead_live_release_does_not_take_its_repair_back() -> None:
    record = watch_of(lambda: fine(0), lambda: broken(0)).hold(30)
    assert record.decision == "not worse"
    assert record.upper < 0
    assert record.problems == {}


def test_what_live_answers_better_is_found_after_long_too() -> None:
    candidate = Asked("candidate", lambda n: fine(n) if n <= WARM_UPS + 150 else broken(n))
    watch = watch_of(candidate, lambda: fine(0))
    with pytest.raises(CheckFailed):
        watch.hold(30)
    assert watch.record.pairs == 161


def test_both_sides_are_warmed_uncounted_and_once() -> None:
    candidate = Asked("candidate", lambda n: broken(n) if n <= 2 * WARM_UPS else fine(n))
    live = Asked("live", fine)
    watch = watch_of(candidate, live, names=("notes", "search"))
    watch.warm()
    assert candidate.count == live.count == 2 * WARM_UPS
    assert watch.hold(1).candidate_failed == 0
    assert candidate.count == watch.record.pairs + 2 * WARM_UPS


def test_journeys_take_turns_and_either_side_comes_first() -> None:
    order: list[str] = []
    watch = watch_of(Asked("candidate", fine, order), Asked("live", fine, order), names=("notes", "search", "home"))
    record = watch.hold(30)
    counts = [journey["pairs"] for journey in record.journeys.values()]
    assert max(counts) - min(counts) <= 1
    firsts = order[::2]
    assert 0.4 < firsts.count("candidate") / len(firsts) < 0.6


def test_answers_of_a_rate_limit_are_no_data_which_holds_and_then_fails() -> None:
    hands = Hands()
    watch = watch_of(lambda: limited(0), lambda: fine(0), hands=hands, patience_seconds=90)
    with pytest.raises(CheckFailed, match="after 90 s: nothing was measured; 900 pairs say nothing") as caught:
        watch.hold(30)
    assert caught.value.why == "no data is not success"
    assert (watch.record.decision, watch.record.skipped) == ("undecided", 900)


def test_without_journeys_nothing_is_measured() -> None:
    with pytest.raises(CheckFailed, match="after 0 s: nothing was measured"):
        watch_of(lambda: fine(0), lambda: fine(0), names=()).hold(30)


def test_what_stays_undecided_fails_with_what_is_known() -> None:
    chance = random.Random(3)  # noqa: S311
    seldom = lambda: Outcome(chance.random() < 0.05, 20, "answered 503 instead of 200")  # noqa: E731
    watch = watch_of(seldom, seldom, patience_seconds=60)
    with pytest.raises(CheckFailed, match=r"after 60 s and 600 pairs: not decided yet: .* is between") as caught:
        watch.hold(30)
    assert "raise `patience_seconds` or `worse_by`" in caught.value.next_step


def test_someone_is_asked_between_about_once_a_second_and_can_stop_it() -> None:
    hands, calls = Hands(), list[float]()
    watch_of(lambda: fine(0), lambda: fine(0), hands=hands).hold(30, lambda: calls.append(hands.now))
    assert 28 <= len(calls) <= 31

    def stop() -> None:
        if hands.now > 40:
            raise RuntimeError("someone else holds the environment")

    watch = watch_of(lambda: fine(0), lambda: fine(0), hands=hands)
    with pytest.raises(RuntimeError, match="someone else holds"):
        watch.hold(30, stop)
    assert 0 < watch.record.pairs < 301
    assert watch.record.candidate_times is not None


def test_a_faster_clock_decides_by_as_many_pairs_at_a_rate_that_machines_bear() -> None:
    hands = Hands()
    record = watch_of(lambda: fine(0), lambda: fine(0), hands=hands, scale=0.05).hold(30)
    assert (record.decision, record.pairs) == ("not worse", 198)
    assert record.pairs / hands.now <= 1.1 * comparison.MOST_A_SECOND
    assert rate_of(Watch(), 0.01) == 0.01 * comparison.MOST_A_SECOND
    assert rate_of(Watch(pairs_per_second=500)) == comparison.MOST_A_SECOND


def test_slow_answers_are_waited_for_in_the_order_they_were_asked() -> None:
    """The pairs on the way come back from the last to the first: a quick one that fails is not judged before a slow one is there."""
    hands, waiting = Hands(), list[Callable[[], None]]()
    candidate = Asked("candidate", broken)

    def start(work: Callable[[], None]) -> None:
        if candidate.count < WARM_UPS:
            work()
            return
        waiting.append(work)
        if len(waiting) == AT_ONCE:
            # No more is asked for while so many are on the way, and all come at once.
            for late in reversed(waiting[1:]):
                late()
            assert watch.record.pairs == 0
            waiting[0]()

    watch = watch_of(candidate, lambda: fine(0), hands=hands, start=start)
    with pytest.raises(CheckFailed):
        watch.hold(30)
    assert (watch.record.pairs, len(waiting)) == (AT_ONCE, AT_ONCE)


def test_a_stall_is_not_made_up_for_by_a_burst() -> None:
    hands, asked_at = Hands(), list[float]()

    def candidate() -> Outcome:
        asked_at.append(hands.now)
        return fine(0)

    def between() -> None:
        if 5 < hands.now < 15:
            hands.wait(60)

    watch_of(candidate, lambda: fine(0), hands=hands).hold(120, between)
    assert max(asked_at.count(moment) for moment in asked_at[WARM_UPS:]) <= AT_ONCE + 1


def test_where_nothing_is_live_the_candidate_is_judged_alone() -> None:
    record = watch_of(lambda: fine(0), None).hold(30)
    assert (record.alone, record.live_times) == (True, None)
    assert record.says == "the candidate answers: 0 of 301 visits failed; it fails at most 1.2 % of visits"
    with pytest.raises(CheckFailed, match="the candidate fails: 10 of 10 visits failed"):
        watch_of(lambda: broken(0), None).hold(30)
    slow = watch_of(lambda: Outcome(False, 3000), None)
    assert slow.hold(30).decision == "not worse"


def test_a_bug_in_a_request_is_not_swallowed() -> None:
    def bug() -> Outcome:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        watch_of(bug, lambda: fine(0)).hold(30)


def test_requests_run_in_the_background() -> None:
    watch = PairedWatch(
        title="web",
        journeys=[Paired(name="home", candidate=lambda: fine(0), live=lambda: fine(0))],
        watch=Watch(worse_by=50),
        parts=1,
        clock=Clock(scale=0.01),
    )
    assert watch.hold(1).decision == "not worse"


def test_the_record_is_json_and_a_page() -> None:
    watch = watch_of(
        Asked("candidate", lambda n: broken(n) if n % 2 else fine(n)), lambda: fine(0), names=("notes", "a|b `c` @d")
    )
    with pytest.raises(CheckFailed):
        watch.hold(30)
    document = json.loads(json.dumps(watch.record.as_json(), allow_nan=False))
    assert document["decision"] == "worse"
    assert (document["looks"][-1]["pairs"], document["looks"][-1]["decision"]) == (document["pairs"], "worse")
    assert document["journeys"]["a|b `c` @d"]["candidate_failed"] == 0
    page = watch.record.as_markdown()
    assert page.splitlines()[0].startswith("**backend, 10 %**: ❌ the candidate fails more often")
    assert f"| live | {document['pairs']} | 0 | 0.0 % | 20 ms" in page
    assert "| a\\|b \\`c\\`" in page
    assert page.count("```") == 2


def test_a_long_watch_keeps_a_bounded_number_of_looks() -> None:
    record = watch_of(lambda: fine(0), lambda: fine(0)).hold(120)
    assert 100 < len(record.looks) <= 241
    assert (record.looks[0].pairs, record.looks[-1].pairs) == (1, record.pairs)
    assert [look.pairs for look in record.looks] == sorted({look.pairs for look in record.looks})
    assert len(record.as_markdown().splitlines()) < 40


def test_the_plan_says_what_a_watch_costs() -> None:
    found = cost(Watch(), (10, 50, 100), 30, parts=4)
    assert found.says == (
        "1,800 visits in 90 s for 3 steps where nothing fails, at most 36,000 in 1800 s until each is decided; finds a candidate"
        " that always fails after 11 pairs, one that fails 2 % more than live after about 539"
    )
    record = watch_of(lambda: fine(0), lambda: fine(0)).hold(30)
    assert abs(2 * record.pairs * 3 - found.visits) <= 6
    longer = cost(Watch(worse_by=1), (100,), 5, parts=1)
    assert longer.seconds == pytest.approx(longer.visits / 2 / 10)
    assert longer.seconds > cost(Watch(), (100,), 5, parts=1).seconds > 5
    assert pairs_at_most(Watch(patience_seconds=10), 30) == 300


def test_addresses_that_do_not_answer_at_all_are_no_data() -> None:
    request = JourneyRequest(path="/notes")
    nobody = Address(url="http://127.0.0.1:9")
    journeys = paired(
        {"read notes": Journey(component="backend", requests=(request,))}, Http(overlay=Overlay()), nobody, nobody
    )
    watch = watch_of(lambda: fine(0), lambda: fine(0), patience_seconds=3)
    watch.journeys = tuple(journeys)
    with pytest.raises(CheckFailed, match="nothing was measured; 30 pairs say nothing"):
        watch.hold(1)


@dataclass
class Site:
    """Answers as configured, and counts."""

    status: int = 200
    text: bytes = b"notes"
    asked: int = 0
    probes: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        self.probes += (b"x-probe", b"yes") in scope["headers"]
        await send(
            {
                "type": "http.response.start",
                "status": self.status,
                "headers": [(b"content-length", str(len(self.text)).encode())],
            }
        )
        await send({"type": "http.response.body", "body": self.text})


@pytest.mark.parametrize(
    ("candidate", "patience", "message"),
    [
        (Site(), 600, ""),
        (Site(text=b"empty"), 600, "GET /notes: does not contain 'notes'"),
        (Site(status=429), 1, "pairs say nothing: refused by a rate limit"),
    ],
)
def test_the_manifests_journeys_are_asked_of_both_sides(candidate: Site, patience: float, message: str) -> None:
    live = Site()
    request = JourneyRequest(path="/notes", contains=("notes",))
    with running(candidate) as ours, running(live) as theirs:
        watch = PairedWatch(
            title="backend",
            journeys=paired(
                {"read notes": Journey(component="backend", requests=(request,))},
                Http(overlay=Overlay()),
                Address(url=ours.url, headers={"X-Probe": "yes"}),
                Address(url=theirs.url),
            ),
            watch=Watch(worse_by=50, slower_by_ms=5000, pairs_per_second=40, patience_seconds=patience),
            parts=1,
            clock=Clock(),
        )
        try:
            watch.hold(0.1)
            assert not message
        except CheckFailed as problem:
            assert message
            assert message in problem.what
    assert candidate.probes == candidate.asked >= WARM_UPS + watch.record.pairs + watch.record.skipped
    assert (live.probes, live.asked >= WARM_UPS + watch.record.pairs) == (0, True)
