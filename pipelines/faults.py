"""What a failure outside means: refused, try again, or it may have happened. One policy for every client.

The table (HTTP status, method) follows the providers' own advice: RFC 9110 §9.2.2 (idempotent methods), RFC 6585 (429) and RFC 9110 §10.2.3
(Retry-After), docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api. A write whose answer was lost is never sent again
blindly: `once` looks first.
"""

from __future__ import annotations

import enum
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pipelines.errors import ProviderUnavailable

T = TypeVar("T")


class Meaning(enum.Enum):
    """What a failed call tells."""

    REFUSED = "refused"
    """It did not happen and will not: stop and say why."""
    TRY_AGAIN = "try again"
    """It did not happen; the same call may succeed later."""
    MAY_HAVE_HAPPENED = "may have happened"
    """The effect is unknown: read the state before doing anything."""


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT"})
PASSING_STATUSES = frozenset({408, 500, 502, 503, 504})
LIMITED_STATUSES = frozenset({429})
LIMITED_TEXT = re.compile(r"secondary rate limit|abuse detection mechanism|API rate limit exceeded", re.IGNORECASE)
"""What GitHub says where it limits without any header: 403 then means no missing permission."""
LIMITED_SECONDS = 60.0
"""Seconds that GitHub must not be called after such an answer, at least; twice as long after each further one."""


class MayHaveHappened(ProviderUnavailable):
    """A write got no clear answer. Caught by `once`; where it escapes, the next run reads the real state."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A failure from outside, in our words."""

    meaning: Meaning
    text: str
    wait: float | None = None
    """Seconds the provider asked us to wait."""
    grows: bool = False
    """Each further wait must be twice as long as the one before."""


@dataclass(kw_only=True)
class Survived:
    """What went wrong outside and was overcome: the run says it at its end."""

    events: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.events.append(text)


SURVIVED = Survived()


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How often and how long to try. Waits are `base * 2**n` seconds with jitter, at most `cap`, times `scale`; a provider may
    ask for more than that, up to `cap`."""

    tries: int = 5
    base: float = 1.0
    cap: float = 60.0
    scale: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def pause(self, attempt: int, asked: float | None) -> float:
        """Seconds before try number attempt + 1 (attempts count from 0), never less than a provider asked for."""
        backoff = min(self.cap, self.base * 2.0**attempt) * (0.5 + self.jitter() / 2)
        return max(asked or 0.0, backoff) * self.scale


def of_status(method: str, status: int, headers: Mapping[str, str], text: str) -> Fault | None:
    """The fault in an HTTP answer, None if it is no fault we handle (2xx, or a refusal the caller reads).

    `headers` must look names up case-insensitively, as requests' do.
    """
    message = status in (403, 429) and LIMITED_TEXT.search(text) is not None
    if status in LIMITED_STATUSES or message or _github_limited(status, headers):
        wait = _asked_wait(headers)
        if wait is None and message:
            return Fault(
                meaning=Meaning.TRY_AGAIN,
                text=f"HTTP {status} (secondary rate limit)",
                wait=LIMITED_SECONDS,
                grows=True,
            )
        return Fault(meaning=Meaning.TRY_AGAIN, text=f"HTTP {status} (rate limit)", wait=wait)
    if status in PASSING_STATUSES:
        meaning = Meaning.TRY_AGAIN if method.upper() in SAFE_METHODS else Meaning.MAY_HAVE_HAPPENED
        return Fault(meaning=meaning, text=f"HTTP {status}: {text[:200]}", wait=_asked_wait(headers))
    return None


def of_connection(method: str, error: BaseException, *, sent: bool) -> Fault:
    """The fault in a connection that failed; `sent` says whether the request may have reached the other side."""
    safe = method.upper() in SAFE_METHODS or not sent
    return Fault(meaning=Meaning.TRY_AGAIN if safe else Meaning.MAY_HAVE_HAPPENED, text=_plain(error))


def _plain(error: BaseException) -> str:
    """A connection error in a few words: urllib3's nesting helps nobody at 18:00."""
    text = str(error)
    for sign, words in (
        ("Connection refused", "connection refused"),
        ("Connection aborted", "the connection was cut before an answer came"),
        ("reset by peer", "the connection was reset before an answer came"),
        ("timed out", "no answer in time"),
        ("CERTIFICATE_VERIFY_FAILED", "its TLS certificate is not trusted"),
        ("Name or service not known", "its name does not resolve"),
    ):
        if sign in text:
            return words
    return f"{type(error).__name__}: {text[:200]}"


def _github_limited(status: int, headers: Mapping[str, str]) -> bool:
    return status == 403 and (headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers)


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after")
    if value is not None:
        return _seconds(value)
    reset = headers.get("x-ratelimit-reset")
    if reset is not None and reset.isdigit() and headers.get("x-ratelimit-remaining") == "0":
        return max(0.0, float(reset) - time.time())
    return None


def _seconds(value: str) -> float | None:
    """Retry-After is a number of seconds or an HTTP date (RFC 9110 §10.2.3)."""
    if value.strip().isdigit():
        return float(value)
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


class Faulted(Exception):
    """Carries a Fault from an adapter to `retry`; never leaves this package."""

    def __init__(self, fault: Fault, cause: BaseException | None = None) -> None:
        super().__init__(fault.text)
        self.fault = fault
        self.cause = cause


def retry(call: Callable[[], T], *, where: str, policy: Policy, survived: Survived = SURVIVED) -> T:
    """Run `call` until it answers. It raises Faulted for faults; all else passes through.

    Raises MayHaveHappened at once for an unclear write, ProviderUnavailable when the tries are used up or the wait that is
    asked for is longer than the policy's cap.
    """
    grown = 0
    for attempt in range(policy.tries):
        try:
            return call()
        except Faulted as problem:
            fault = problem.fault
            if fault.grows and fault.wait is not None:
                fault = replace(fault, wait=fault.wait * 2**grown)
                grown += 1
            if fault.meaning is Meaning.MAY_HAVE_HAPPENED:
                raise MayHaveHappened(
                    f"no clear answer to a write ({fault.text})",
                    where=where,
                    next_step="run the same command again: it reads the real state first",
                ) from problem.cause
            if fault.wait is not None and fault.wait > policy.cap:
                raise _too_long(fault, fault.wait, where) from problem.cause
            if attempt + 1 == policy.tries:
                raise ProviderUnavailable(
                    f"still failing after {policy.tries} tries ({fault.text})",
                    where=where,
                    why="the provider is down, unreachable or limiting us",
                    next_step="look at its status page, then run the same command again: nothing is lost",
                ) from problem.cause
            pause = policy.pause(attempt, fault.wait)
            survived.add(f"{where}: {fault.text}; tried again after {pause:.1f} s")
            policy.sleep(pause)
    raise AssertionError("unreachable: the loop returns or raises")


def _too_long(fault: Fault, wait: float, where: str) -> ProviderUnavailable:
    """For a wait beyond the cap: to try earlier is what limits are made longer for."""
    over = time.strftime("%H:%M:%S UTC", time.gmtime(time.time() + wait))
    return ProviderUnavailable(
        f"{fault.text}; asked us to wait {wait:.0f} s",
        where=where,
        why="that is longer than a job should wait",
        next_step=f"run the same command again after {over}: nothing is lost",
    )


def once(write: Callable[[], T], find: Callable[[], T | None], *, policy: Policy, survived: Survived = SURVIVED) -> T:
    """Do a write that must happen exactly once: when its answer is lost, `find` it by our own key before sending it again.

    Raises what `write` raises last when it stays unclear.
    """
    for attempt in range(policy.tries):
        try:
            return write()
        except MayHaveHappened as unclear:
            policy.sleep(policy.pause(attempt, None))
            found = find()
            if found is not None:
                survived.add(f"{unclear.where}: the answer was lost, but it had happened")
                return found
            if attempt + 1 == policy.tries:
                raise
            survived.add(f"{unclear.where}: {unclear.what}; it had not happened, sent again")
    raise AssertionError("unreachable: the loop returns or raises")
