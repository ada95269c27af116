"""What every step of the apps has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pipelines.steps import AnyStep

if TYPE_CHECKING:
    from pipelines.manifest.mobile import Platform
    from pipelines.mobile.context import Context  # noqa: F401 - named in a string below


@dataclass(frozen=True, kw_only=True)
class Step(AnyStep["Context"]):
    """A step that is about all platforms at once."""

    @classmethod
    def of(cls, platforms: Sequence[Platform]) -> list[Self]:
        """The steps of this kind that these platforms need."""
        return [cls(component="apps")]


@dataclass(frozen=True, kw_only=True)
class PlatformStep(Step):
    """A step that each platform needs once."""

    platform: Platform

    @classmethod
    def of(cls, platforms: Sequence[Platform]) -> list[Self]:
        return [cls(component=platform, platform=platform) for platform in platforms]
