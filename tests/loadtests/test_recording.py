"""Nothing is lost or invented between a request and what is reported of it: counting, merging, writing and reading."""

from __future__ import annotations

import math
import random

import numpy
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.histogram import Histogram, index_of, upper_ms
from loadtests.recording import Recording, RecordingRefused, Sample, merge

TIMES = st.floats(0.0, 3_600_000.0)
MANY = st.lists(TIMES, max_size=60)
SAMPLES = st.builds(
    Sample,
    due=st.floats(0.0, 20.0),
    endpoint=st.sampled_from(["GET /notes", "POST /notes"]),
    ms=TIMES,
    status=st.sampled_from([None, 200, 503]),
    error=st.sampled_from(["", "", "status 503", "timed out"]),
    database_ms=st.none() | TIMES,
)
ARRIVALS = st.tuples(st.floats(0.0, 20.0), st.floats(0.0, 500.0), st.booleans())


def shard(number: int = 0, of: int = 1, seed: int = 8) -> Recording:
    return Recording.of_shard(
        profile="smoke",
        environment="staging",
        release="1.4.0",
        seed=seed,
        start=1_795_000_000.25,
        seconds=20.0,
        shard=number,
        shards=of,
    )


def recorded(
    number: int, of: int, samples: list[Sample], arrivals: list[tuple[float, float, bool]] | None = None
) -> Recording:
    recording = shard(number, of)
    for sample in samples:
        recording.add(sample)
    for due, lag_ms, late in arrivals or []:
        recording.expect([due])
        recording.arrived(due, lag_ms, late)
        recording.went_on(lag_ms / 3)
        recording.used_cpu(due, lag_ms / 500)
    return recording


@given(TIMES)
def test_a_time_is_counted_where_hdr_counts_it_and_within_a_thousandth(ms: float) -> None:
    hdr = HdrHistogram(1, 3_600_000_000, 3)
    assert index_of(ms) == hdr.get_counts_array_index(round(ms * 1000))
    assert ms - 0.001 <= upper_ms(index_of(ms)) <= ms * 1.001 + 0.001


@given(MANY, st.floats(0.0, 1.0))
def test_percentiles_are_those_of_the_sorted_samples(values: list[float], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    if not values:
        assert histogram.quantile(share) is None
        return
    exact = float(numpy.quantile(values, share, method="inverted_cdf"))
    found = histogram.quantile(share)
    assert found is not None
    assert exact - 0.001 <= found <= exact * 1.001 + 0.001


@given(st.lists(TIMES, min_size=1, max_size=60))
def test_no_percentile_is_above_the_maximum(values: list[float]) -> None:
    """locust#1563: the 99th percentile was rounded above the longest response time."""
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    assert histogram.max is not None
    quantiles = [histogram.quantile(share) for share in (0.0, 0.5, 0.95, 0.99, 0.999, 1.0)]
    assert quantiles == sorted(quantiles, key=lambda each: each or 0.0)
    assert quantiles[-1] == histogram.max
    assert histogram.max <= max(values) * 1.001 + 0.001


def test_percentiles_are_not_rounded_to_two_digits() -> None:
    """Locust says 210 for 204, and so fails or passes a limit of 205 wrongly."""
    histogram = Histogram()
    for _ in range(100):
        histogram.record(204.0)
    assert histogram.quantile(0.95) == pytest.approx(204.0, rel=0.001)


def test_a_time_that_cannot_be_is_refused_and_one_that_never_ends_is_an_hour() -> None:
    histogram = Histogram()
    for ms in (-0.1, math.nan):
        with pytest.raises(ValueError, match="must not be negative"):
            histogram.record(ms)
    histogram.record(math.inf)
    assert histogram.total == 1
    assert histogram.max == pytest.approx(3_600_000.0, rel=0.001)


@given(MANY)
def test_what_is_written_is_read_by_hdr_itself(values: list[float]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    theirs = HdrHistogram.decode(histogram.encode())
    assert theirs.get_total_count() == histogram.total
    assert Histogram.decode(histogram.encode()) == histogram


def test_a_histogram_of_another_precision_or_none_at_all_is_not_read() -> None:
    other = HdrHistogram(1, 3_600_000_000, 2)
    other.record_value(12_345)
    with pytest.raises(ValueError, match="another range or precision"):
        Histogram.decode(other.encode().decode())
    for text in ("", "HISTFAAAAB", "not base64 at all", Histogram({5: 1}).encode()[:-8]):
        with pytest.raises(ValueError):
            Histogram.decode(text)


@settings(max_examples=40, deadline=None)
@given(st.lists(SAMPLES, max_size=30), st.lists(ARRIVALS, max_size=30), st.randoms(use_true_random=False))
def test_merged_shards_equal_one_run_of_the_same_samples(
    samples: list[Sample], arrivals: list[tuple[float, float, bool]], dice: random.Random
) -> None:
    dealt: list[list[Sample]] = [[], [], []]
    came: list[list[tuple[float, float, bool]]] = [[], [], []]
    for sample in samples:
        dealt[dice.randrange(3)].append(sample)
    for arrival in arrivals:
        came[dice.randrange(3)].append(arrival)
    one, two, three = (recorded(number, 3, dealt[number], came[number]) for number in range(3))
    whole = recorded(0, 3, samples, arrivals)
    whole.held = {0, 1, 2}
    assert merge([one, two, three]) == whole
    assert merge([three, one, two]) == whole
    assert merge([merge([one, two], partial=True), three]) == whole
    assert merge([one, merge([three, two], partial=True)]) == whole
    assert merge([one, two, three]).to_json() == whole.to_json()
    assert one == recorded(0, 3, dealt[0], came[0]), "merging leaves the shards as they are"


@settings(max_examples=40, deadline=None)
@given(st.lists(SAMPLES, max_size=30), st.lists(ARRIVALS, max_size=30))
def test_nothing_is_lost_in_writing_and_reading(
    samples: list[Sample], arrivals: list[tuple[float, float, bool]]
) -> None:
    recording = recorded(0, 1, samples, arrivals)
    recording.stopped.add("half of the answers failed")
    recording.began_late_ms = 12
    assert Recording.from_json(recording.to_json()) == recording


def test_every_request_is_counted_once() -> None:
    """Locust's own CSV held 134 of 150 requests, and k6#3052 counts another number at each run of the same script."""
    samples = [Sample(due=n / 10, endpoint="GET /notes", ms=5.0, status=200) for n in range(150)]
    recording = merge([recorded(0, 2, samples[:70]), recorded(1, 2, samples[70:])])
    assert recording.total().count == 150
    assert sum(found.count for found in recording.slices(["GET /notes"]).values()) == 150
    assert Recording.from_json(recording.to_json()).total().statuses == {200: 150}


def test_a_failed_answer_has_a_kind_and_no_response_time() -> None:
    recording = recorded(0, 1, [Sample(due=1.5, endpoint="GET /notes", ms=30_000.0, error="timed out")])
    found = recording.total("GET /notes")
    assert (found.failed, found.times.total, found.errors) == (1, 0, {"timed out": 1})


def test_a_recording_of_before_later_requests_had_a_lag_is_read() -> None:
    """The last good run of an environment may be of an earlier release of the suite."""
    recording = recorded(0, 1, [], [(0.9, 3.0, False)])
    older = "\n".join(line for line in recording.to_json().splitlines() if not line.startswith('"later_lag"'))
    read = Recording.from_json(older)
    assert (read.lag, read.later_lag.total) == (recording.lag, 0)


def test_waiting_for_a_user_is_not_the_generators_own_lag() -> None:
    recording = recorded(0, 1, [], [(0.9, 200.0, True), (1.0, 0.5, False)])
    assert (recording.waited.total, recording.lag.total) == (1, 1)
    assert recording.asked == {0: 1, 1: 1}
    assert recording.started == {1: 2}


def test_the_cpu_of_the_busiest_process_is_kept() -> None:
    one, two = shard(0, 2), shard(1, 2)
    one.used_cpu(3.2, 0.4)
    two.used_cpu(3.9, 0.93)
    assert merge([one, two]).cpu == {3: 930}


def test_shards_that_are_not_one_run_are_refused() -> None:
    with pytest.raises(RecordingRefused, match="there is no recording"):
        merge([])
    with pytest.raises(RecordingRefused, match=r"lost shards 0, 2 of 4"):
        merge([shard(1, 4), shard(3, 4)])
    with pytest.raises(RecordingRefused, match="shard 1 of 2 there twice"):
        merge([shard(0, 2), shard(1, 2), shard(1, 2)])
    with pytest.raises(RecordingRefused, match="different runs: seed 8 and 9"):
        merge([shard(0, 2), shard(1, 2, seed=9)])
    late = shard(1, 2)
    late.began_late_ms = 4200
    with pytest.raises(RecordingRefused, match=r"shard 1 of 2 began 4\.2 s after"):
        merge([shard(0, 2), late])
    with pytest.raises(ValueError, match="no shard 2 of 2"):
        shard(2, 2)


def test_a_file_that_was_cut_off_or_is_of_another_version_is_refused() -> None:
    text = recorded(0, 1, [Sample(due=1.0, endpoint="GET /notes", ms=5.0)]).to_json()
    for broken in ("", "[]", "{}", "null", text[: len(text) // 2], text.replace('"seed"', '"sead"')):
        with pytest.raises(RecordingRefused, match="cannot be read"):
            Recording.from_json(broken)
    with pytest.raises(RecordingRefused, match="not of version 1"):
        Recording.from_json(text.replace('"version": 1', '"version": 2'))


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([6067.0, 1239.0], 0.5, 1239.0),  # locust#565: a median far from both samples
        ([661.0], 0.99, 661.0),  # locust#254: 660, with a maximum of 661
        ([596.0] * 50, 0.99, 596.0),  # locust#331: 600 above a maximum of 596
        ([1.0, 2.0, 3.0, 4.0, 5.0], 0.95, 5.0),
        (list(map(float, range(1, 101))), 0.95, 95.0),  # not the 96th, as `int(0.95 * n)` takes
    ],
)
def test_percentiles_that_other_tools_got_wrong(values: list[float], share: float, expected: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    assert histogram.quantile(share) == pytest.approx(expected, rel=0.001)
