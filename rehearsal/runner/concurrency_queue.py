"""Waiting for concurrency groups: `concurrency.Groups` decides, this wakes and cancels who is concerned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.runner.concurrency import Groups, Request
from rehearsal.runner.expressions import Scope, interpolate
from rehearsal.runner.functions import ExpressionError
from rehearsal.runner.values import to_string, truthy
from rehearsal.runner.workflow import QUEUES


@dataclass
class _Member:
    cancel: Callable[[str], None]
    granted: asyncio.Event = field(default_factory=asyncio.Event)


class ConcurrencyQueue:
    """The concurrency groups of every repository."""

    def __init__(self) -> None:
        self._groups: dict[str, Groups] = {}
        self._members: dict[Hashable, _Member] = {}

    async def acquire(self, repository: str, request: Request, cancel: Callable[[str], None]) -> None:
        """Return once the group is held. `cancel` is called, with GitHub's words, when another one takes its place."""
        groups = self._groups.setdefault(repository, Groups())
        outcome = groups.request(request)
        member = self._members[request.holder] = _Member(cancel)
        for evicted in outcome.evicted:
            reason = f"Canceling since a higher priority waiting request for '{request.group}' exists"
            self._members[evicted].cancel(reason)
        if outcome.cancel is not None:
            self._members[outcome.cancel].cancel(f"Canceling since a newer request for '{request.group}' is waiting")
        if not outcome.granted:
            await member.granted.wait()

    def release(self, repository: str, request: Request) -> None:
        """Give the group back, or stop waiting for it."""
        self._members.pop(request.holder, None)
        next_holder = self._groups.setdefault(repository, Groups()).release(request.group, request.holder)
        if next_holder is not None:
            self._members[next_holder].granted.set()

    def holder(self, repository: str, group: str) -> Hashable | None:
        """Who runs in a group."""
        return self._groups.setdefault(repository, Groups()).holder(group)


def request(raw: Any, contexts: Mapping[str, Any], holder: Hashable) -> Request | None:
    """`concurrency:` of a workflow or job, evaluated; None without one. Raises ExpressionError."""
    if not raw:
        return None
    scope = Scope(contexts=contexts)
    settings = raw if isinstance(raw, Mapping) else {"group": raw}
    wanted = Request(
        group=to_string(interpolate(settings.get("group"), scope)),
        holder=holder,
        cancel_in_progress=truthy(interpolate(settings.get("cancel-in-progress", False), scope)),
        queue=to_string(settings.get("queue", QUEUES[0])),
    )
    if wanted.queue == "max" and wanted.cancel_in_progress:
        raise ExpressionError("`queue: max` cannot be combined with `cancel-in-progress: true`")
    return wanted
