"""The `performance:` section of shipmate.yml: what is promised, how load arrives, and what it may do to an environment."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipelines.manifest import error_tracker
from pipelines.manifest.metadata import policy_key

Measure = Literal["response", "database", "page-load", "mobile-start"]
Arrivals = Literal["poisson", "constant", "ramp", "spike", "soak", "replay"]


@dataclass(frozen=True, kw_only=True)
class PerformanceTarget:
    """A promise: 95 of a hundred are no slower than this."""

    of: Measure = field(
        metadata=policy_key(
            "What is measured: `response`, from the moment a request was due until its answer was whole; `database`, what a "
            "request waited for the database; `page-load`, in a browser; `mobile-start`, as the apps report it."
        )
    )
    p95_ms: float = field(metadata=policy_key("The 95th percentile at the most, in milliseconds."))
    component: str = field(metadata=policy_key("Whose."))


@dataclass(frozen=True, kw_only=True)
class LoadProfile:
    """How users arrive. Each makes one visit, whatever the answers take: a slow server has no fewer users."""

    arrivals: Arrivals = field(
        default="poisson",
        metadata=policy_key(
            "`poisson`, as people come; `constant`, evenly; `ramp`, rising from `from_per_second`; `spike`, `from_per_second` but "
            "for the middle third; `soak`, slowly begun; `replay`, the rates of `recorded` one after the other. All but `constant` "
            "vary as people do."
        ),
    )
    per_second: float = field(
        default=1.0, metadata=policy_key("Visits that begin in a second; of a ramp and a spike the most.")
    )
    seconds: float = field(metadata=policy_key("How long visits begin. Those under way are finished."))
    from_per_second: float = field(
        default=1.0, metadata=policy_key("Ramp and spike: visits in a second at the beginning.")
    )
    recorded: tuple[float, ...] = field(
        default=(), metadata=policy_key("Replay: visits in a second, in equal parts of `seconds`.", [2, 5, 9, 4])
    )

    @property
    def most_per_second(self) -> float:
        """The highest rate it asks for, in visits per second."""
        if self.arrivals == "replay":
            return max(self.recorded, default=0.0)
        return max(self.per_second, self.from_per_second if self.arrivals in ("ramp", "spike") else 0.0)

    @property
    def least_per_second(self) -> float:
        """The lowest rate above 0 that it asks for, in visits per second."""
        if self.arrivals == "replay":
            return min((rate for rate in self.recorded if rate), default=0.0)
        return min(self.per_second, self.from_per_second) if self.arrivals in ("ramp", "spike") else self.per_second


@dataclass(frozen=True, kw_only=True)
class AppStarts:
    """Where the apps on people's phones report how long they took to start. Without it `mobile-start` is not measured."""

    provider: Literal["sentry"] = field(
        default="sentry",
        metadata=policy_key("Its SDK in the app sends the reports; the secret SENTRY_READ_TOKEN reads them."),
    )
    url: str = field(
        default="https://sentry.io",
        metadata=policy_key(
            "Where the organization lives: of Sentry's regions https://us.sentry.io or https://de.sentry.io, or your own."
        ),
    )
    organization: str = field(metadata=policy_key("As in its address.", "techmate"))
    project: str = field(
        metadata=policy_key(
            "Of the app, as in its address; by its number where a Sentry of your own knows no other.", "mobile"
        )
    )
    environment: str = field(default="production", metadata=policy_key("What the app calls its own when it reports."))
    days: int = field(
        default=14,
        metadata=policy_key("How far back starts count. Sentry keeps them for 30 days, or 90 by some plans."),
    )


@dataclass(frozen=True, kw_only=True)
class Performance:
    """What is promised, and the load under which it must hold."""

    targets: Mapping[str, PerformanceTarget] = field(default_factory=dict, metadata=policy_key("By name."))
    profiles: Mapping[str, LoadProfile] = field(
        default_factory=dict, metadata=policy_key("By name: `shipmate loadtest --profile` takes one.")
    )
    app_starts: AppStarts | None = field(
        default=None, metadata=policy_key("Where `mobile-start` is measured; without it that target is not measured.")
    )


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a load test may do to an environment."""

    visits_per_second: float = field(metadata=policy_key("No profile may ask for more."))
    seconds: float = field(default=3600.0, metadata=policy_key("No load test goes on for longer."))
    stop_at_errors: float = field(
        default=20.0,
        metadata=policy_key(
            "It stops by itself when more of a hundred requests fail, over ten seconds: it is hurting."
        ),
    )


def problems(
    performance: Performance, loads: Mapping[str, Load], components: Collection[str]
) -> Iterator[tuple[str, str]]:
    """What is wrong with them, each with its path in the manifest. `loads`: environment -> its limits."""
    for name, target in performance.targets.items():
        where = f"performance/targets/{name}"
        if target.component not in components:
            yield f"{where}/component", f"there is no component {target.component!r}"
        yield from _positive(where, p95_ms=target.p95_ms)
    for name, profile in performance.profiles.items():
        yield from _check_profile(profile, f"performance/profiles/{name}")
    if performance.app_starts is not None:
        yield from _check_starts(performance.app_starts, performance.targets, "performance/app_starts")
    for environment, load in loads.items():
        where = f"environments/{environment}/load"
        yield from _positive(where, visits_per_second=load.visits_per_second, seconds=load.seconds)
        if not 0 < load.stop_at_errors <= 100:
            yield f"{where}/stop_at_errors", "must be above 0 and at most 100: it is a share in per cent"


def _check_profile(profile: LoadProfile, where: str) -> Iterator[tuple[str, str]]:
    yield from _positive(
        where,
        per_second=profile.per_second,
        seconds=profile.seconds,
        from_per_second=profile.from_per_second,
    )
    if bool(profile.recorded) != (profile.arrivals == "replay"):
        yield f"{where}/recorded", "is used with `arrivals: replay` alone"
    if not all(0 <= rate < math.inf for rate in profile.recorded) or (profile.recorded and not any(profile.recorded)):
        yield f"{where}/recorded", "must be numbers, 0 or more, and one above 0"


def _check_starts(starts: AppStarts, targets: Mapping[str, PerformanceTarget], where: str) -> Iterator[tuple[str, str]]:
    if not any(target.of == "mobile-start" for target in targets.values()):
        yield where, "no target is about them: add one with `of: mobile-start`, or take this out"
    yield from error_tracker.problems(starts, where)
    if not starts.environment:
        yield f"{where}/environment", "must not be empty"
    if not 1 <= starts.days <= 90:
        yield f"{where}/days", f"{starts.days} must be 1 to 90: nothing is kept for longer"


def _positive(where: str, **values: float) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if not 0 < value < math.inf:
            yield f"{where}/{key}", f"{value:g} must be a number above 0"
