"""The verdict on the targets: a pass needs enough good answers to a load that was really made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
import pytest

from benchmarks._load_servers import slices
from benchmarks.load_comparison import failing_run, more_failed
from loadtests.comparison import compare
from loadtests.recording import NOBODY_FREE, Recording, Sample, merge
from loadtests.verdicts import Judgement, judge
from loadtests.window import Window
from pipelines.manifest.performance import PerformanceTarget
from tests.loadtests.report.example import TARGETS, recorded

PAGE = {"page load": PerformanceTarget(of="page-load", component="web", p95_ms=2000)}
NOTES = "backend GET /notes"
SERVED = {"responses": PerformanceTarget(of="response", component="server", p95_ms=500)}


def empty(*, seconds: float = 120, profile: str = "smoke", environment: str = "staging", shards: int = 1) -> Recording:
    return Recording.of_shard(
        profile=profile, environment=environment, release="1.4.0", seed=1, start=0.0, seconds=seconds, shards=shards
    )


def verdicts(found: Judgement) -> dict[str, str]:
    return {answer.target: answer.verdict for answer in found.answers}


def log_normal(
    seed: int,
    factor: float = 1.0,
    endpoints: Sequence[str] = (NOTES, "backend POST /notes"),
    rate: float = 6.0,
) -> Recording:
    recording, dice = empty(), numpy.random.default_rng(seed)
    for endpoint in endpoints:
        due = numpy.sort(dice.uniform(0, 120, dice.poisson(rate * 120)))
        recording.endpoints[endpoint] = slices(due, factor * dice.lognormal(4, 0.5, len(due)))
    return recording


def test_a_healthy_run_meets_its_targets_with_value_interval_and_samples() -> None:
    found = judge(recorded(1), TARGETS)
    assert (found.verdict, found.invalid, found.notes) == ("passed", (), ())
    assert verdicts(found) == {"API responses": "passed", "database queries": "passed"}
    assert (found.first, found.end) == (10, 120)
    assert found.answers[0].says == "p95 137 ms (129 ms to 147 ms), at most 500 ms, of 1,304 requests"
    assert judge(recorded(1), TARGETS) == found


def test_a_slow_platform_misses_the_target_that_it_misses() -> None:
    found = judge(recorded(2, factor=5), TARGETS)
    assert found.verdict == "missed"
    assert verdicts(found) == {"API responses": "missed", "database queries": "missed"}
    slow_queries = recorded(3)
    for each in slow_queries.endpoints.values():
        for second in each.values():
            second.database, second.times = second.times, second.database
    assert verdicts(judge(slow_queries, TARGETS)) == {"API responses": "passed", "database queries": "missed"}


def test_stalls_that_others_overlook_are_found() -> None:
    """PerfCake#258 and many more: a platform that stood still had the average, and the percentiles, of one that did not."""
    found = judge(recorded(4, stalls=True, seconds=300, rate=6), TARGETS)
    target = found.answers[0]
    assert target.estimate.stalls >= 25
    assert target.estimate.value == pytest.approx(620, rel=0.15)
    assert target.verdict == "missed"


def test_an_endpoint_that_breaks_the_promise_does_not_hide_among_quick_ones() -> None:
    recording = log_normal(5, rate=60.0)
    recording.endpoints["backend GET /report"] = log_normal(6, 15, ["backend GET /report"], 3).endpoints[
        "backend GET /report"
    ]
    found = judge(recording, TARGETS).answers[0]
    assert found.estimate.high < 500
    assert found.verdict == "missed"
    assert "backend GET /report alone has p95" in found.says


def test_a_limit_within_the_interval_is_too_short_to_tell() -> None:
    between = {"API responses": PerformanceTarget(of="response", component="backend", p95_ms=138)}
    found = judge(recorded(1), between)
    assert found.verdict == "too short to tell"
    assert found.answers[0].says.endswith("the limit lies within the interval")


def in_phases(milliseconds: float) -> Recording:
    """120 s of answers that take `milliseconds`, a few more in some stretches of 30 s and a few less in others."""
    recording, dice = empty(), numpy.random.default_rng(8)
    due = numpy.sort(dice.uniform(0, 120, dice.poisson(4 * 120)))
    level = milliseconds * numpy.where((due // 30) % 2, 1.2, 1.0)
    recording.endpoints[NOTES] = slices(due, level * dice.lognormal(0, 0.1, len(due)))
    return recording


def test_times_that_hang_together_far_below_the_limit_are_a_pass_and_near_it_are_too_short_to_tell() -> None:
    targets = {"API responses": TARGETS["API responses"]}
    far = judge(in_phases(6), targets)
    assert "answers hang together" in far.answers[0].estimate.why
    assert far.verdict == "passed"
    assert "hardly any took longer than 250 ms, though answers hang together over up to" in far.answers[0].says
    assert judge(in_phases(350), targets).verdict == "too short to tell"
    assert judge(in_phases(700), targets).verdict == "missed"
    slow_at_times = in_phases(6)
    for second in range(50, 53):
        slow_at_times.endpoints[NOTES][second] = in_phases(300).endpoints[NOTES][second]
    assert judge(slow_at_times, targets).verdict == "too short to tell"


def test_no_data_is_no_pass() -> None:
    """k6#1053 and k6#1346: a threshold on what was never measured was met."""
    found = judge(empty(), TARGETS)
    assert verdicts(found) == {"API responses": "no data", "database queries": "no data"}
    assert found.verdict == "no data"
    assert judge(recorded(1), {}).verdict == "no data"
    of_another = {"API responses": PerformanceTarget(of="response", component="gateway", p95_ms=500)}
    assert judge(recorded(1), of_another).answers[0].verdict == "no data"


def test_queries_that_nobody_measured_are_no_data_though_responses_are_well() -> None:
    recording = recorded(1)
    for each in recording.endpoints.values():
        for second in each.values():
            second.database.counts.clear()
    found = judge(recording, TARGETS)
    assert verdicts(found) == {"API responses": "passed", "database queries": "no data"}
    assert found.verdict == "no data"


def test_one_sample_and_few_samples_are_too_short_to_tell() -> None:
    recording = empty()
    recording.add(Sample(60.0, NOTES, 5.0, 200, database_ms=1.0))
    assert verdicts(judge(recording, TARGETS)) == {
        "API responses": "too short to tell",
        "database queries": "too short to tell",
    }
    few = judge(recorded(6, seconds=30, rate=2), TARGETS)
    assert few.verdict == "too short to tell"
    assert "at least 300 are needed" in few.answers[0].says


def test_few_answers_are_enough_where_half_of_them_are_too_slow() -> None:
    found = judge(recorded(7, seconds=40, rate=2, factor=30), TARGETS).answers[0]
    assert found.verdict == "missed"
    assert "half of all took longer than" in found.says


def test_a_generator_that_was_late_says_nothing_of_the_platform() -> None:
    found = judge(recorded(8, lag_ms=9), TARGETS, before=recorded(9))
    assert found.verdict == "invalid"
    assert set(verdicts(found).values()) == {"invalid"}
    assert "began more than 10 ms late, the generator being busy" in found.invalid[0]
    assert found.changes == ()


@pytest.mark.parametrize(
    ("cpu", "message"), [(40, "4 % of a core: it waited for"), (800, "80 % of a core: give it more")]
)
def test_whether_the_generator_or_its_machine_was_too_busy_is_reported(cpu: int, message: str) -> None:
    late = recorded(8, lag_ms=9)
    late.cpu = {0: cpu}
    assert message in judge(late, TARGETS).invalid[0]


def test_one_in_a_hundred_may_be_late_and_waiting_for_the_platform_is_not_lateness() -> None:
    def with_late(count: int, *, nobody: bool) -> Judgement:
        recording = recorded(1)
        recording.lag.counts.clear()
        for number in range(480):
            recording.arrived(number / 4, 50.0 if number < count else 1.0, late=nobody and number < count)
        return judge(recording, TARGETS)

    assert with_late(4, nobody=False).verdict == "passed"
    assert with_late(5, nobody=False).verdict == "invalid"
    waited = with_late(100, nobody=True)
    assert waited.verdict == "passed"
    assert "100 visits waited for a free user" in waited.notes[0]


def test_later_requests_of_visits_may_be_late_no_more_often_than_visits() -> None:
    def with_late(count: int) -> Judgement:
        recording = recorded(1)
        for number in range(1000):
            recording.went_on(50.0 if number < count else 1.0)
        return judge(recording, TARGETS)

    assert with_late(10).verdict == "passed"
    late = with_late(11)
    assert late.verdict == "invalid"
    assert late.invalid[0].startswith("11 of 1,000 later requests of visits (1.1 %) were asked more than 10 ms late")


def test_punctual_later_requests_do_not_hide_visits_that_began_late() -> None:
    recording = recorded(1, lag_ms=9)
    for _ in range(100_000):
        recording.went_on(0.1)
    assert judge(recording, TARGETS).verdict == "invalid"


def test_a_load_that_was_not_made_is_invalid() -> None:
    recording = recorded(1)
    recording.expect([60.0] * 10)
    found = judge(recording, TARGETS)
    assert found.verdict == "invalid"
    assert "only 480 of 490 visits that were due began (98.0 %)" in found.invalid[0]


def test_visits_that_the_platform_kept_from_beginning_are_its_failures() -> None:
    recording = recorded(1)
    recording.expect([60.0] * 100)
    for _ in range(100):
        recording.add(Sample(60.0, NOTES, 30_000.0, None, NOBODY_FREE))
    assert judge(recording, TARGETS).invalid == ()


def test_a_lost_shard_makes_the_run_invalid() -> None:
    found = judge(merge([empty(shards=2)], partial=True), TARGETS)
    assert found.verdict == "invalid"
    assert "shards 1 of 2 are missing" in found.invalid[0]


def test_failed_answers_count_as_answers_that_never_came() -> None:
    """loadtest#204, ghz#248: quick errors, or errors left out, made a failing server look quick."""
    recording = log_normal(10)
    for number in range(400):
        recording.add(Sample(10 + number * 0.27, NOTES, 1.0, 503, "status 503"))
    found = judge(recording, TARGETS).answers[0]
    assert found.verdict == "missed"
    assert found.says.startswith("p95 no answer")


def test_a_burst_in_which_many_fail_is_missed_though_nobody_knows_how_often_it_comes() -> None:
    found = judge(recorded(3, failing=0.5), TARGETS).answers[0]
    assert found.estimate.why
    assert (found.verdict, found.says.rpartition(": ")[2]) == ("missed", "10.6 % failed")


def test_a_run_that_stopped_because_the_platform_failed_is_missed_and_one_that_was_interrupted_is_invalid() -> None:
    def stopped(why: str, failing: bool) -> Judgement:
        recording = recorded(1, seconds=60)
        recording.seconds = 600
        recording.stopped.add(why)
        for number in range(100 if failing else 0):
            recording.add(Sample(50 + number / 10, NOTES, 1.0, 503, "status 503"))
        return judge(recording, TARGETS)

    hurt = stopped("100 of 220 requests in 10 s failed, more than 20%", failing=True)
    assert hurt.end == 60
    assert hurt.answers[0].verdict == "missed"
    assert "the run stopped itself: 100 of 220 requests" in hurt.answers[0].says
    broken_off = stopped("interrupted", failing=False)
    assert broken_off.verdict == "invalid"
    assert broken_off.notes == ("the run ended before its time: interrupted",)


def test_pages_are_judged_by_samples_that_were_measured_elsewhere() -> None:
    quick, slow = [900.0 + at for at in range(100)], [1900.0 + 10 * at for at in range(100)]
    assert judge(recorded(1), PAGE, samples={"page load": quick}).verdict == "passed"
    assert judge(recorded(1), PAGE, samples={"page load": slow}).verdict == "missed"
    short = judge(recorded(1), PAGE, samples={"page load": quick[:59]}).answers[0]
    assert (short.verdict, short.estimate.samples) == ("too short to tell", 59)
    assert judge(recorded(1), PAGE, samples={"page load": []}).verdict == "no data"
    assert judge(recorded(1), TARGETS | PAGE).answers == judge(recorded(1), TARGETS).answers


def test_healthy_pairs_are_seldom_called_slower_and_a_third_slower_is_found() -> None:
    """benchmarks/load_comparison.py has more pairs; PostgREST#4902 shows what single percentiles do without an interval."""
    flagged = found = 0
    for seed in range(8):
        before, now, slower = (Window(log_normal(*of)) for of in ((1000 + seed,), (seed,), (seed, 1.3)))
        flagged += any(change.regression for change in compare(now, before).changes)
        found += any(change.regression for change in compare(slower, before).changes)
    assert flagged <= 1
    assert found == 8


@pytest.mark.parametrize(("share", "bursts"), [(0.02, False), (0.03, True)])
def test_runs_alike_are_seldom_reported_to_fail_more_however_their_failures_come(share: float, bursts: bool) -> None:
    """benchmarks/load_comparison.py has more and longer pairs."""
    alarms = sum(
        more_failed(*(failing_run(2 * pair + which, share, bursts=bursts) for which in (0, 1))) for pair in range(12)
    )
    assert alarms <= 3, "one in twenty on average at the most"


@pytest.mark.parametrize(("before", "now", "bursts"), [(0.0, 0.02, False), (0.01, 0.04, False), (0.01, 0.15, True)])
def test_runs_of_which_more_fails_are_found(before: float, now: float, bursts: bool) -> None:
    for pair in range(3):
        assert more_failed(failing_run(2 * pair, now, bursts=bursts), failing_run(2 * pair + 1, before, bursts=bursts))


def test_one_burst_is_no_regression_and_a_few_requests_more_are_none_either() -> None:
    quiet, burst = failing_run(1, 0.0), failing_run(2, 0.0)
    for number in range(40):
        burst.recording.add(Sample(150 + number / 20, "server GET /0", 1.0, 503, "status 503"))
    assert not more_failed(Window(burst.recording), quiet), "it may come as often to the other run"
    few = failing_run(3, 0.0)
    for number in range(5):
        few.recording.add(Sample(40 + 50 * number, "server GET /0", 1.0, 503, "status 503"))
    assert not more_failed(Window(few.recording), quiet)


def test_a_run_of_which_more_fails_says_so_although_it_meets_its_targets() -> None:
    before, now = failing_run(1, 0.0).recording, failing_run(2, 0.02).recording
    found = judge(now, SERVED, before=before)
    assert found.verdict == "passed"
    assert {each.endpoint for each in found.failing} == {"server GET /0", "server GET /1", "all requests"}
    assert set(found.regressions) >= set(found.failing)
    assert all(each.before == 0 and each.now == pytest.approx(0.02, rel=0.3) for each in found.failing)
    back = judge(before, SERVED, before=now)
    assert not back.failing
    assert {each.chance for each in back.failures} == {1.0}


def test_only_runs_alike_are_compared() -> None:
    now = log_normal(1)
    other = log_normal(2)
    other.profile = "soak"
    assert judge(now, TARGETS, before=other).notes == (
        "not compared: the other run was 'soak' on staging, this one is 'smoke' on staging",
    )
    invalid = log_normal(2)
    invalid.held = set()
    assert judge(now, TARGETS, before=invalid).notes == ("not compared: the other run is invalid",)
    assert "no endpoint with enough samples" in judge(now, TARGETS, before=empty()).notes[0]


def test_the_percentile_of_a_run_is_not_that_of_its_worst_moment() -> None:
    """orderly-ape#69: the largest of the percentiles of ten seconds each was shown as that of the run."""
    recording = log_normal(11, 0.2)
    for number in range(20):
        recording.add(Sample(60 + number / 10, NOTES, 3000.0, 200))
    assert judge(recording, TARGETS).answers[0].estimate.value == pytest.approx(27, rel=0.1)
