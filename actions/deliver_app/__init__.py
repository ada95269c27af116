"""Bring one platform's build to its testers. Nothing of the app is checked out here."""

from __future__ import annotations

from dataclasses import replace

from actions.apps import APP_STORE_KEY, EXPO_TOKEN, PLAN, TOKEN
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (
    Input(name="platform", doc="android or ios.", required=True),
    PLAN,
    TOKEN,
    EXPO_TOKEN,
    APP_STORE_KEY,
)
OUTPUTS: tuple[Output, ...] = ()


def main(runtime: Runtime) -> int:
    """Leaves what became of it in build/mobile/delivered, also when it fails. Raises what the steps of the job `deliver` raise."""
    values = runtime.inputs(INPUTS)
    from actions.apps import planned, recorded
    from pipelines.errors import InputError, ShipmateError
    from pipelines.mobile import results
    from pipelines.mobile.pipeline import steps_of
    from pipelines.steps import as_markdown, carry_out

    context = planned(runtime, values)
    platform = next((each for each in context.release.platforms if each == values["platform"]), None)
    if platform is None:
        raise InputError(
            f"{context.tag} has no platform {values['platform']!r}",
            where="platform",
            next_step=f"one of: {', '.join(context.release.platforms)}",
        )
    context.history = recorded(context)
    try:
        with context.history.failing(f"{platform} of {context.tag}"):
            done = carry_out(steps_of("deliver", [platform]), context)
    except ShipmateError as error:
        if platform in context.results:
            context.results[platform] = replace(context.results[platform], problem=error.what)
        raise
    finally:
        for result in context.results.values():
            result.write(context.work)
    result = context.results[platform]
    context.history.note("in_progress", f"{platform} {result.text}")
    runtime.summary(
        f"### {platform} of {context.tag}\n\n{as_markdown(done)}\n\n{results.as_markdown({platform: result})}"
    )
    return 0
