"""Checks right after a change: traffic takes seconds to move, and instances seconds to start, so what failed is asked again.

All checks are asked again together, in rounds, until one round passes or the time is over: a check that passes because the release
before still answers must not hide behind the round in which another one found that out. A release that is truly broken is not waited
for: once every check that names the release passes and the same others are answered wrongly, `DECIDED` rounds in a row, it is the
release itself that answers so. No answer, and statuses of what is still starting, decide nothing before the time is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pipelines.checks.report import Report, Result
from pipelines.clock import Clock
from pipelines.polling import Polling

POLLING = Polling(interval=0.5, growth=1.2, longest=2.0)
DECIDED = 5
"""Rounds in a row with the same wrong answers. With half of the requests still at the release before, good releases that add a check
would be refused once in a thousand times."""
STARTING = frozenset({408, 502, 503, 504})
"""What stands in front of an instance answers so while there is none."""


@dataclass(kw_only=True)
class _Rounds:
    """What the rounds so far have found."""

    count: int = 0
    late: set[tuple[str, str]] = field(default_factory=set)
    """Checks that failed in some round."""
    elsewhere: bool = False
    """Another release answered in some round."""
    wrong: frozenset[tuple[str, str]] = frozenset()
    same: int = 0
    clean: int = 0

    def add(self, report: Report) -> bool:
        """Whether this round decides."""
        self.count += 1
        failed = [result for result in report.results if result.failed]
        self.late |= {_key(result) for result in failed}
        self.elsewhere |= any(result.names_release for result in failed)
        if not failed:
            self.clean += 1
            return not self.elsewhere or self.clean > 1
        self.clean = 0
        wrong = frozenset(_key(result) for result in failed)
        self.same = self.same + 1 if wrong == self.wrong else 1
        self.wrong = wrong
        if not all(_final(result, report) for result in failed):
            self.same = 0
        return self.same >= DECIDED


def patiently(ask: Callable[[], Report], clock: Clock, seconds: float) -> Report:
    """What `ask` finds once it passes, or at the end of so many seconds of `clock`, or once its failure is decided."""
    rounds = _Rounds()
    for look in POLLING.looks(clock, clock.deadline(seconds)):
        report = ask()
        if rounds.add(report) or look.last:
            return replace(
                report,
                results=tuple(_late(result, rounds, look.waited) for result in report.results),
                rounds=rounds.count,
                waited=look.waited,
            )
    raise AssertionError("unreachable: the last look returns")


def _late(result: Result, rounds: _Rounds, seconds: float) -> Result:
    return replace(result, late=seconds) if result.ok and _key(result) in rounds.late else result


def _final(failed: Result, report: Report) -> bool:
    """Whether the release itself gave this wrong answer, as far as one round can tell."""
    naming = [one for one in report.results if one.component == failed.component and one.names_release]
    return bool(naming) and all(one.ok for one in naming) and failed.status not in {None, *STARTING}


def _key(result: Result) -> tuple[str, str]:
    return result.component, result.name
