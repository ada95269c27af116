"""Concurrency groups: one holder runs, one waits, a newer one takes the place of the one that waits."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Request:
    """Who asks for a group and how. `queue` is GitHub's: `single` keeps one waiting, `max` keeps up to a hundred."""

    group: str
    holder: Hashable
    cancel_in_progress: bool = False
    queue: str = "single"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What follows from a request: holders to cancel, and whether the group is held at once."""

    granted: bool
    evicted: tuple[Hashable, ...] = ()
    """Waiting holders that lost their place."""
    cancel: Hashable | None = None
    """The running holder, when it must make room."""


@dataclass
class _Group:
    running: Hashable
    waiting: list[Hashable] = field(default_factory=list)


class Groups:
    """The groups of one repository. Names are compared without regard to case."""

    MAX_WAITING = 100

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}

    def request(self, wanted: Request) -> Outcome:
        """Take the group or wait for it."""
        group = self._groups.get(wanted.group.lower())
        if group is None:
            self._groups[wanted.group.lower()] = _Group(running=wanted.holder)
            return Outcome(granted=True)
        evicted = self._evict(group, wanted.queue)
        group.waiting.append(wanted.holder)
        return Outcome(granted=False, evicted=evicted, cancel=group.running if wanted.cancel_in_progress else None)

    def _evict(self, group: _Group, queue: str) -> tuple[Hashable, ...]:
        keep = self.MAX_WAITING - 1 if queue == "max" else 0
        evicted = tuple(group.waiting[: max(0, len(group.waiting) - keep)])
        group.waiting = group.waiting[len(evicted) :]
        return evicted

    def release(self, name: str, holder: Hashable) -> Hashable | None:
        """Give the group back, or leave the queue. Returns the holder that runs now, if that changed."""
        group = self._groups.get(name.lower())
        if group is None:
            return None
        if holder in group.waiting:
            group.waiting.remove(holder)
            return None
        if group.running != holder:
            return None
        if not group.waiting:
            del self._groups[name.lower()]
            return None
        group.running = group.waiting.pop(0)
        return group.running

    def holder(self, name: str) -> Hashable | None:
        """Who runs in a group."""
        group = self._groups.get(name.lower())
        return None if group is None else group.running
