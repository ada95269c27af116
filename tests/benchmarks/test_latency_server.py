"""The latencies that generators are held against are those that the server says."""

from __future__ import annotations

import statistics

import pytest

from benchmarks._latency_server import Asked, Behaviours


class Clocked(Behaviours):
    """At a moment of one's own."""

    at = 0.0

    def _now(self) -> float:
        return self.at


def afters(path: str, number: int = 4000, **query: float) -> list[float]:
    """Milliseconds that its answers take."""
    server = Clocked(seed=3)
    return [server.reply(Asked("GET", path, query, {}, b"")).after * 1000 for _ in range(number)]


def at(moment: float, path: str, **query: float) -> tuple[int, float]:
    server = Clocked()
    server.at = moment
    reply = server.reply(Asked("GET", path, query, {}, b""))
    return reply.status, pytest.approx(reply.after * 1000)


def test_by_chance() -> None:
    assert set(afters("/constant", ms=7)) == {7.0}
    log_normal = sorted(afters("/lognormal", ms=20, sigma=0.6))
    assert statistics.median(log_normal) == pytest.approx(20, rel=0.05)
    # exp(1.645 * 0.6) times the median
    assert log_normal[int(0.95 * len(log_normal))] == pytest.approx(53.7, rel=0.08)
    slow = afters("/bimodal", ms=5, slow=200, share=0.1)
    assert set(slow) == {5.0, 200.0}
    assert slow.count(200.0) / len(slow) == pytest.approx(0.1, abs=0.02)
    assert afters("/lognormal") == afters("/lognormal")


def test_by_the_time() -> None:
    assert at(0.0, "/stall") == (200, 1003)
    assert at(20.75, "/stall") == (200, 253)
    assert at(21.0, "/stall") == (200, 3)
    assert at(100.0, "/leak", ms=5, grow=1) == (200, 105)
    assert at(0.5, "/bursts")[0] == 500
    assert at(1.5, "/bursts")[0] == 200


def test_what_was_made_is_there_until_it_is_removed() -> None:
    server = Behaviours()
    assert server.reply(Asked("POST", "/items", {}, {}, b"one")).status == 201
    assert server.items == {"item-1": "one"}
    assert [server.reply(Asked("DELETE", "/items/item-1", {}, {}, b"")).status for _ in range(2)] == [204, 404]
