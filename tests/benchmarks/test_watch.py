"""The rules beside each other: the same traffic for all, and figures that can be bad."""

from __future__ import annotations

from itertools import islice

from benchmarks import watch
from benchmarks.watch import RULES, TRAFFIC, Ended, Figures, Traffic

BY_NAME = {traffic.name: traffic for traffic in TRAFFIC}


def test_every_rule_sees_the_same_pairs() -> None:
    traffic = BY_NAME["both fail 20 %"]
    first, again = (list(islice(traffic.pairs(7), 500)) for _ in range(2))
    assert first == again
    assert first != list(islice(traffic.pairs(8), 500))
    assert 50 < sum(candidate.failed for candidate, _ in first) < 150


def test_rules_end_as_their_settings_say() -> None:
    def ended(rule: str, name: str) -> Ended:
        return RULES[rule](BY_NAME[name].pairs(1))

    assert ended("Flagger", "healthy") == Ended(False, 3000)
    assert ended("Flagger", "all answers take 3 s") == Ended(True, 3000)
    assert ended("Argo Rollouts", "the candidate always fails") == Ended(True, 2400)
    assert ended("Argo Rollouts", "all answers take 3 s") == Ended(False, 6000)
    assert ended("two errors", "healthy") == Ended(False, 900)
    assert ended("two errors", "both fail 20 %").stopped
    assert ended("ours", "healthy") == Ended(False, 900)
    assert ended("ours", "the candidate always fails") == Ended(True, 10)


def test_wrong_ends_are_counted_by_what_would_have_been_right() -> None:
    ends = iter([Ended(True, 10), Ended(True, 20), Ended(False, 900), Ended(True, 6000, undecided=True)] * 2)
    bad = watch.measure(BY_NAME["the candidate fails 5 %"], lambda _: next(ends), 4)
    good = watch.measure(BY_NAME["healthy"], lambda _: next(ends), 4)
    assert bad == Figures(wrong=0.25, undecided=0.0, requests=20)
    assert good == Figures(wrong=0.5, undecided=0.25, requests=900)
    assert good.says == "50.0 % + 25.0 % undecided (900)"


def test_a_goal_that_is_missed_is_named() -> None:
    def row(traffic: Traffic, wrong: float) -> tuple[Traffic, list[Figures]]:
        return traffic, [Figures(wrong=wrong, undecided=0.0, requests=None)] * len(RULES)

    small = BY_NAME["the candidate fails 1 %"]
    assert watch.missed_goals([row(BY_NAME["healthy"], 0.01), row(small, 0.05)]) == []
    assert watch.missed_goals([row(BY_NAME["healthy"], 0.02)]) == ["ours: healthy: 2.0 %", "ours, 1 %: healthy: 2.0 %"]
    assert watch.missed_goals([row(small, 0.06)]) == [f"ours, 1 %: {small.name}: 6.0 %"]
