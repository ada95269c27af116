"""Stop signs at the providers: an environment that is frozen, a delivery that is held. They need deploy rights, and no GitHub."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.delivery.context import Context
    from pipelines.roles import Marks


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What a stop sign concerns."""

    components: tuple[str, ...]
    """Those whose marks were changed; none when they had it already."""
    under_way: str
    """The delivery that moves traffic now, in words; empty when none does."""


def freeze(context: Context, reason: str) -> Stopped:
    """No delivery begins until `thaw`; one that moves traffic already goes on, and a rollback is always possible."""
    return _write(context, lambda marks: replace(marks, frozen=reason))


def thaw(context: Context) -> Stopped:
    """Deliveries may begin again."""
    return _write(context, lambda marks: replace(marks, frozen=""))


def hold(context: Context, reason: str) -> Stopped:
    """The delivery under way stays where it is before its next step. Raises RefusedError when there is none."""
    lives = context.lives()
    if not any(live.marks.lock is not None and live.marks.lock.kind == "delivery" for live in lives.values()):
        raise RefusedError(
            f"no delivery moves traffic in {context.environment}",
            where=context.environment,
            next_step="to keep one from beginning: shipmate freeze --environment …",
        )
    return _write(context, lambda marks: replace(marks, held=reason) if marks.lock is not None else marks)


def resume(context: Context) -> Stopped:
    """It goes on."""
    return _write(context, lambda marks: replace(marks, held=""))


def _write(context: Context, change: Callable[[Marks], Marks]) -> Stopped:
    changed, under_way = [], ""
    for component, live in context.lives().items():
        lock = live.marks.lock
        under_way = under_way or (lock.says if lock is not None else "")
        if change(live.marks) != live.marks:
            context.host(component).mark(change)
            changed.append(component)
    return Stopped(components=tuple(changed), under_way=under_way)
