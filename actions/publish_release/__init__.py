"""Publish the GitHub release of what is live now, with its notes; finishes what a killed run began."""

from __future__ import annotations

from actions.delivery import ENVIRONMENT, PLAN, SOURCE, TOKEN, VERCEL
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (ENVIRONMENT, PLAN, SOURCE, TOKEN, *VERCEL)
OUTPUTS: tuple[Output, ...] = (Output(name="url", doc="Page of the release."),)


def main(runtime: Runtime) -> int:
    """Raises what the steps of the job `release` raise (pipelines.delivery.pipeline)."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import planned
    from pipelines.steps import carry_out

    context, made = planned(runtime, values)
    carry_out(made.of_job("release"), context)
    name = context.delivered.name
    hub = runtime.environ.get("GITHUB_REPOSITORY", context.manifest.platform.repository)
    url = f"{runtime.environ.get('GITHUB_SERVER_URL', '')}/{hub}/releases/tag/{name}"
    runtime.summary(f"### 🚀 [{name}]({url}) is published")
    runtime.output("url", url)
    return 0
