"""May a run be believed at all? What the generator did wrong is no fault of the platform, and no merit."""

from __future__ import annotations

from collections.abc import Iterator

from loadtests.recording import NOBODY_FREE, Recording

LATE_MS = 10.0
MOST_LATE = 0.01
"""Share of visits that may begin more than `LATE_MS` after they were due, or not at all, for the generator's own reasons; and of later
requests that may be asked so late. Each is a share of its own: many punctual later requests must not hide visits that began late, nor the
other way round."""
_BUSY = 900
"""Thousandths of a core: above, a generator process is about to be late."""
_AT_WORK = 500
"""The same: one that is late with less did not have too much to do itself."""


def problems(recording: Recording) -> Iterator[str]:
    """Why the run is invalid, for a person; nothing when it is valid."""
    if recording.lost:
        numbers = ", ".join(map(str, recording.lost))
        yield f"shards {numbers} of {recording.shards} are missing: the platform had less load than was asked for"
    end = ended(recording)
    asked = sum(count for second, count in recording.asked.items() if second < end)
    if not asked:
        return
    late, begun = recording.lag.above(LATE_MS), recording.lag.total + recording.waited.total
    if late > MOST_LATE * begun:
        yield (
            f"{late:,} of {begun:,} visits ({100 * late / begun:.1f} %) began more than {LATE_MS:g} ms late, the generator being busy; "
            f"at most {100 * MOST_LATE:g} % may{_cpu(recording)}"
        )
    behind, later = recording.later_lag.above(LATE_MS), recording.later_lag.total
    if behind > MOST_LATE * later:
        yield (
            f"{behind:,} of {later:,} later requests of visits ({100 * behind / later:.1f} %) were asked "
            f"more than {LATE_MS:g} ms late, the generator being busy; at most {100 * MOST_LATE:g} % may{_cpu(recording)}"
        )
    # A visit that found no user in all the time was held up by the platform, and is counted as failed.
    missing = asked - begun - sum(each.errors[NOBODY_FREE] for each in recording.slices().values())
    if missing > MOST_LATE * asked:
        yield (
            f"only {asked - missing:,} of {asked:,} visits that were due began ({100 * (1 - missing / asked):.1f} %): "
            f"the generator did not make the load that was asked for{_cpu(recording)}"
        )


def notes(recording: Recording) -> Iterator[str]:
    """What a reader should know of a run that is valid nevertheless."""
    if waited := recording.waited.above(LATE_MS):
        yield (
            f"{waited:,} visits waited for a free user, all of them still waiting for the platform; their response times count from "
            "the moment they were due"
        )
    busy = sum(1 for share in recording.cpu.values() if share > _BUSY)
    if busy:
        yield f"a generator process used more than {_BUSY / 10:g} % of its core in {busy} of {len(recording.cpu)} seconds"


def ended(recording: Recording) -> int:
    """The second in which visits ceased to arrive: the asked one, or an earlier one when the run was stopped."""
    whole = int(-(-recording.seconds // 1))
    if not recording.stopped:
        return whole
    return min(whole, max(recording.started, default=-1) + 1)


def _cpu(recording: Recording) -> str:
    if not recording.cpu:
        return ""
    most = max(recording.cpu.values())
    next_step = (
        "give it more processes or more machines" if most > _AT_WORK else "it waited for this machine's other work"
    )
    return f" (its busiest process used up to {most / 10:.0f} % of a core: {next_step})"
