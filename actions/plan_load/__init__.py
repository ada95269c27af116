"""Divide a load test among runners, which begin at the same instant."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING

from actions.delivery import ENVIRONMENT, TOKEN, github
from pipelines.runtime import Input, Output, Runtime

if TYPE_CHECKING:
    from pipelines.manifest import Manifest

LEAD_SECONDS = 120
"""How long runners have to be ready, where there is more than one: one that comes later makes the run invalid."""
MOST_SHARDS = 32

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(name="profile", doc="How users arrive: one of `performance/profiles`.", default="smoke"),
    Input(name="shards", doc="On how many runners.", default="1"),
    Input(
        name="asked",
        doc="'true' when it was requested; otherwise a manifest that declares no such load test is no error.",
        default="true",
    ),
    Input(name="delivered_by", doc="Run of *Deploy to Staging* whose end started this; empty when another event did."),
    TOKEN,
)
OUTPUTS: tuple[Output, ...] = (
    Output(name="shards", doc="JSON list of numbers, one for each runner."),
    Output(name="count", doc="How many there are; 0 when no load test is declared."),
    Output(name="seed", doc="What all of them draw from."),
    Output(
        name="start", doc="When all of them begin, in seconds since 1970; empty for one, which begins when it is ready."
    ),
    Output(name="pages", doc="'true' when a target is about page loads of a component that lives there."),
    Output(name="starts", doc="'true' when the manifest says where the apps report their starts."),
    Output(name="asks", doc="'true' where users are: someone must approve."),
)


def main(runtime: Runtime) -> int:
    """Raises InputError for a profile or a number there is not, RefusedError for more load than the environment takes."""
    values = runtime.inputs(INPUTS)
    from pipelines.delivery import candidate, load_target
    from pipelines.delivery.context import settings_of
    from pipelines.errors import InputError
    from pipelines.manifest import load

    manifest, environment = load(), values["environment"]
    if values["asked"] != "true" and not _declared(manifest, environment, values["profile"]):
        return _nothing(runtime, f"No load test {values['profile']!r} of {environment} is declared: nothing to do.")
    if values["delivered_by"] and not candidate.made_live(github(runtime, values["token"]), values["delivered_by"]):
        return _nothing(
            runtime, f"Run {values['delivered_by']} was superseded and made nothing live: nothing new to measure."
        )
    profile = load_target.profile_named(manifest, values["profile"])
    if not values["shards"].isdecimal() or not 1 <= int(values["shards"]) <= MOST_SHARDS:
        raise InputError(
            f"{values['shards']!r} is no number of runners", where="shards", next_step=f"use 1 to {MOST_SHARDS}"
        )
    load_target.require_within(profile, load_target.limits_of(manifest, environment), environment)
    count = int(values["shards"])
    runtime.output("shards", json.dumps(list(range(count))))
    runtime.output("count", str(count))
    runtime.output("seed", str(secrets.randbelow(2**31)))
    runtime.output("start", str(int(time.time()) + LEAD_SECONDS) if count > 1 else "")
    runtime.output("pages", "true" if _has_pages(manifest, environment) else "false")
    runtime.output("starts", "true" if manifest.performance.app_starts else "false")
    runtime.output("asks", "true" if settings_of(manifest, environment).approval else "false")
    runtime.summary(
        f"### Load test of {environment}\n\n`{values['profile']}`: {profile.arrivals}, up to {profile.most_per_second:g} visits per second "
        f"for {profile.seconds:g} s, from {count} runner{'s' if count > 1 else ''}"
    )
    return 0


def _nothing(runtime: Runtime, why: str) -> int:
    runtime.output("shards", "[]")
    runtime.output("count", "0")
    runtime.summary(why)
    return 0


def _declared(manifest: Manifest, environment: str, profile: str) -> bool:
    settings = manifest.environments.get(environment)
    return bool(settings and settings.load and profile in manifest.performance.profiles)


def _has_pages(manifest: Manifest, environment: str) -> bool:
    lives = manifest.environments[environment].targets
    return any(each.of == "page-load" and each.component in lives for each in manifest.performance.targets.values())
