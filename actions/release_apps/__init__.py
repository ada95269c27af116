"""Publish the GitHub release of the apps that their testers have."""

from __future__ import annotations

from actions.apps import PLAN, SOURCE, TOKEN
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (PLAN, SOURCE, TOKEN)
OUTPUTS: tuple[Output, ...] = (Output(name="url", doc="Page of the release."),)


def main(runtime: Runtime) -> int:
    """Raises what the steps of the job `release` raise (pipelines.mobile.pipeline)."""
    values = runtime.inputs(INPUTS)
    from actions.apps import planned, recorded
    from pipelines.mobile import results
    from pipelines.mobile.pipeline import steps_of
    from pipelines.steps import carry_out

    context = planned(runtime, values)
    context.results = results.read(context.work)
    history = recorded(context)
    with history.failing(f"the release {context.tag}"):
        carry_out(steps_of("release", context.release.platforms), context)
    hub = runtime.environ.get("GITHUB_REPOSITORY", context.manifest.platform.repository)
    url = f"{runtime.environ.get('GITHUB_SERVER_URL', '')}/{hub}/releases/tag/{context.tag}"
    history.note("success", f"{context.tag} is with its testers", live_url=url)
    runtime.summary(f"### 📱 [{context.tag}]({url}) is with its testers\n\n{results.as_markdown(context.results)}")
    runtime.output("url", url)
    return 0
