"""One policy for every outside call: what a failure means, what is tried again, and what never is blindly."""

import pytest

from pipelines.errors import ProviderUnavailable
from pipelines.faults import (
    Fault,
    Faulted,
    MayHaveHappened,
    Meaning,
    Policy,
    Survived,
    of_connection,
    of_status,
    once,
    retry,
)


def policy(pauses: list[float], **more: object) -> Policy:
    return Policy(sleep=pauses.append, jitter=lambda: 1.0, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "status", "headers", "meaning"),
    [
        ("GET", 503, {}, Meaning.TRY_AGAIN),
        ("PUT", 500, {}, Meaning.TRY_AGAIN),
        ("POST", 503, {}, Meaning.MAY_HAVE_HAPPENED),
        ("PATCH", 502, {}, Meaning.MAY_HAVE_HAPPENED),
        ("DELETE", 504, {}, Meaning.MAY_HAVE_HAPPENED),
        ("POST", 429, {"retry-after": "3"}, Meaning.TRY_AGAIN),
        ("POST", 403, {"x-ratelimit-remaining": "0"}, Meaning.TRY_AGAIN),
    ],
)
def test_meaning_of_a_status(method: str, status: int, headers: dict[str, str], meaning: Meaning) -> None:
    fault = of_status(method, status, headers, "")
    assert fault is not None
    assert fault.meaning is meaning


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 409, 422])
def test_refusals_are_no_faults(status: int) -> None:
    assert of_status("POST", status, {}, "") is None


SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    "text",
    [
        SECONDARY,
        "You have exceeded a secondary rate limit and have been temporarily blocked from content creation.",
        "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again.",
        "API rate limit exceeded for installation ID 1.",
    ],
)
def test_a_limit_that_only_its_text_tells_is_no_refusal(status: int, text: str) -> None:
    """GitHub says so without any header, or with those of a primary limit that is not used up."""
    for headers in ({}, {"x-ratelimit-remaining": "4999", "x-ratelimit-reset": "1700003600"}):
        fault = of_status("POST", status, headers, text)
        assert fault is not None
        assert (fault.meaning, fault.wait, fault.grows) == (Meaning.TRY_AGAIN, 60.0, True)


@pytest.mark.parametrize(
    ("status", "text"), [(403, "Resource not accessible by integration"), (404, SECONDARY), (422, SECONDARY)]
)
def test_what_only_sounds_like_a_limit_is_refused(status: int, text: str) -> None:
    assert of_status("GET", status, {}, text) is None


def test_a_header_that_says_how_long_counts_more_than_the_text() -> None:
    fault = of_status("GET", 403, {"retry-after": "7"}, SECONDARY)
    assert fault is not None
    assert (fault.wait, fault.grows) == (7.0, False)


@pytest.mark.parametrize(("cap", "waits", "asked"), [(60.0, [60.0], 120), (240.0, [60.0, 120.0, 240.0], 480)])
def test_a_secondary_limit_is_waited_for_twice_as_long_each_time_up_to_the_cap(
    cap: float, waits: list[float], asked: int
) -> None:
    pauses: list[float] = []

    def call() -> str:
        fault = of_status("POST", 403, {}, SECONDARY)
        assert fault is not None
        raise Faulted(fault)

    with pytest.raises(ProviderUnavailable, match=rf"secondary rate limit\); asked us to wait {asked} s"):
        retry(call, where="POST x", policy=policy(pauses, cap=cap), survived=Survived())
    assert pauses == waits


def test_connection_that_never_reached_the_other_side_is_tried_again() -> None:
    assert of_connection("POST", OSError("Connection refused"), sent=False).meaning is Meaning.TRY_AGAIN
    assert of_connection("POST", OSError("reset by peer"), sent=True).meaning is Meaning.MAY_HAVE_HAPPENED


def test_retry_waits_as_asked_and_tells_what_it_survived() -> None:
    pauses: list[float] = []
    survived = Survived()
    answers = [
        Fault(meaning=Meaning.TRY_AGAIN, text="HTTP 429", wait=7.0),
        Fault(meaning=Meaning.TRY_AGAIN, text="HTTP 503"),
    ]

    def call() -> str:
        if answers:
            raise Faulted(answers.pop(0))
        return "well"

    assert retry(call, where="GET x", policy=policy(pauses), survived=survived) == "well"
    assert pauses == [7.0, 2.0]
    assert len(survived.events) == 2


def test_retry_gives_up_within_its_bound() -> None:
    pauses: list[float] = []

    def call() -> str:
        raise Faulted(Fault(meaning=Meaning.TRY_AGAIN, text="HTTP 503"))

    with pytest.raises(ProviderUnavailable, match="after 3 tries"):
        retry(call, where="GET x", policy=policy(pauses, tries=3), survived=Survived())
    assert len(pauses) == 2


def test_an_unclear_write_is_never_sent_again_by_retry() -> None:
    sent = []

    def call() -> str:
        sent.append(1)
        raise Faulted(Fault(meaning=Meaning.MAY_HAVE_HAPPENED, text="cut"))

    with pytest.raises(MayHaveHappened):
        retry(call, where="POST x", policy=policy([]), survived=Survived())
    assert len(sent) == 1


def test_once_finds_what_a_lost_answer_did() -> None:
    made: list[str] = []

    def write() -> str:
        made.append("it")
        raise MayHaveHappened("cut", where="POST x")

    assert once(write, lambda: made[0] if made else None, policy=policy([]), survived=Survived()) == "it"
    assert made == ["it"]


def test_once_sends_again_only_after_it_looked() -> None:
    looked, sent = [], []

    def write() -> str:
        sent.append(1)
        if len(sent) == 1:
            raise MayHaveHappened("cut before it arrived", where="POST x")
        return "made"

    def find() -> None:
        looked.append(len(sent))

    assert once(write, find, policy=policy([]), survived=Survived()) == "made"
    assert (looked, len(sent)) == ([1], 2)


def test_pause_is_capped_and_scaled() -> None:
    bounded = Policy(cap=10.0, scale=0.5, jitter=lambda: 1.0)
    assert bounded.pause(10, None) == 5.0
    assert bounded.pause(0, 9.0) == 4.5


def test_a_wait_beyond_the_cap_is_not_cut_short_but_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    pauses: list[float] = []

    def call() -> str:
        fault = of_status("GET", 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700003600"}, "")
        assert fault is not None
        raise Faulted(fault)

    with pytest.raises(ProviderUnavailable, match="asked us to wait 3600 s") as caught:
        retry(call, where="GET x", policy=policy(pauses), survived=Survived())
    assert "after 23:13:20 UTC" in caught.value.next_step
    assert pauses == []
