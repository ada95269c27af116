"""Bring a platform's build to its testers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from pipelines.mobile import play, testflight
from pipelines.mobile.delivered import Delivered, NumberUsed
from pipelines.mobile.steps.base import PlatformStep
from pipelines.mobile.steps.fetch import file_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.mobile.context import Context

SAY_EVERY = 10
"""Per cent of an upload between two lines about it."""


@dataclass(frozen=True, kw_only=True)
class Deliver(PlatformStep):
    """What the store has already is not sent again."""

    name: ClassVar[str] = "deliver"

    @property
    def says(self) -> str:
        return "deliver it to Google Play" if self.platform == "android" else "deliver it to TestFlight"

    def run(self, context: Context) -> str:
        """Raises NumberUsed, and what the delivery to the store raises."""
        deliver = _to_play if self.platform == "android" else _to_testflight
        result = context.results[self.platform]
        try:
            done = deliver(context)
        except NumberUsed:
            context.results[self.platform] = replace(result, used=True)
            raise
        context.results[self.platform] = replace(result, text=done.text, waits_for=done.waits_for)
        if done.waits_for:
            context.runtime.annotate("warning", done.waits_for, title=f"{self.platform} waits")
        return done.text


def _to_play(context: Context) -> Delivered:
    settings, release = context.android, context.release
    delivery = play.Delivery(
        file=file_of(context, "android"),
        number=release.numbers["android"],
        version=release.version,
        track=settings.track,
        notes=dict.fromkeys(settings.languages, release.notes),
    )
    return play.deliver(context.play, delivery, _progress(context))


def _to_testflight(context: Context) -> Delivered:
    settings, release = context.ios, context.release
    delivery = testflight.Delivery(
        file=file_of(context, "ios"),
        number=release.numbers["ios"],
        version=release.version,
        groups=settings.groups,
        notes=dict.fromkeys(settings.languages, release.notes),
        encryption=settings.encryption,
    )
    flight = testflight.TestFlight(
        store=context.app_store, clock=context.clock, say=context.runtime.say, progress=_progress(context)
    )
    return flight.deliver(delivery)


def _progress(context: Context) -> Callable[[int, int], None]:
    """A line for each `SAY_EVERY` per cent."""
    message = 0

    def progress(sent: int, size: int) -> None:
        nonlocal message
        percent = 100 * sent // max(size, 1)
        if percent >= message + SAY_EVERY:
            message = percent - percent % SAY_EVERY
            context.runtime.say(f"  {percent} % of {size / 1e6:.1f} MB")

    return progress
