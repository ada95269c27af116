"""Verify a tag of the apps before anything is built: all problems at once; then reserve the build numbers."""

from __future__ import annotations

import json

from actions.apps import APP_STORE_KEY, EXPO_TOKEN, SOURCE, TOKEN
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (
    Input(name="tag", doc="The tag, like mobile-v1.0.1.", required=True),
    Input(name="commit", doc="The commit that it names.", required=True),
    Input(name="above", doc="Build numbers that are used, though no store shows it: JSON, platform to number."),
    SOURCE,
    TOKEN,
    EXPO_TOKEN,
    APP_STORE_KEY,
)
OUTPUTS: tuple[Output, ...] = (
    Output(name="version", doc="The version."),
    Output(name="platforms", doc="JSON list of the platforms."),
    Output(name="plan", doc="SHA-256 of what was verified."),
    Output(name="state", doc="'to do', or 'done already'."),
)


def main(runtime: Runtime) -> int:
    """Raises what the steps of the job `verify` raise (pipelines.mobile.pipeline)."""
    values = runtime.inputs(INPUTS)
    from actions.apps import above, opened, recorded
    from pipelines.mobile.pipeline import steps_of
    from pipelines.steps import as_markdown, carry_out

    context = opened(runtime, values)
    context.tag, context.commit, context.above = values["tag"], values["commit"], above(values["above"])
    done = carry_out(steps_of("verify", context.mobile.platforms), context)
    release = context.release
    release.write(context.work)
    if not context.published:
        recorded(context).note("queued", f"verified {release.tag}")
    runtime.summary(f"### {release.tag} is verified\n\n{as_markdown(done)}\n\n{release.notes}")
    for name, value in {
        "version": release.version,
        "platforms": json.dumps(list(release.platforms)),
        "plan": release.digest,
        "state": "done already" if context.published else "to do",
    }.items():
        runtime.output(name, value)
    return 0
