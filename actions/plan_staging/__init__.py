"""Find the commit that goes to staging, on the default branch or a maintenance line, and what of it is built and deployed."""

from __future__ import annotations

import json
from pathlib import Path

from actions.delivery import ENVIRONMENT, SOURCE, TOKEN, github
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (ENVIRONMENT, SOURCE, TOKEN)
OUTPUTS: tuple[Output, ...] = (
    Output(name="state", doc="'to do', or 'superseded' when a newer commit waits behind this one."),
    Output(name="commit", doc="The commit, carried from here."),
    Output(name="components", doc="JSON list of the components that live there, in the order in which they go live."),
    Output(name="builds", doc="JSON list of what is built: {component, node}."),
    Output(name="browser_tests", doc="'true' when the commit has some."),
    Output(name="url", doc="Where users would look first."),
)


def main(runtime: Runtime) -> int:
    """Raises what pipelines.delivery.candidate.commit_of raises."""
    values = runtime.inputs(INPUTS)
    from pipelines.delivery import candidate
    from pipelines.delivery.context import head_commit, manifest_in, settings_of
    from pipelines.errors import RefusedError
    from pipelines.manifest import definition, load

    policy, source, hub = load(), Path(values["source"]), github(runtime, values["token"])
    commit = candidate.commit_of(runtime, policy, hub)
    if head_commit(source) != commit:
        raise RefusedError(
            f"{head_commit(source)[:7]} is checked out, not {commit[:7]}",
            where=values["source"],
            next_step="check out the commit of the event",
        )
    newer = candidate.superseded_by(runtime, commit, policy, hub)
    runtime.output("state", "superseded" if newer else "to do")
    if newer:
        runtime.say(f"{newer[:7]} comes after {commit[:7]} and holds it: nothing is deployed")
        runtime.summary(
            f"### ⏭️ `{commit[:7]}` is superseded by `{newer[:7]}`\n\nThe newer commit holds it and has its own run. Nothing was built "
            f"or deployed here, so `{commit[:7]}` has no proof: to have it proved all the same, re-run all jobs, or dispatch the "
            f"workflow with `commit` = `{commit}`."
        )
        return 0
    manifest = definition.apply(policy, definition.read(manifest_in(source)))
    targets = settings_of(manifest, values["environment"]).targets
    builds = [{"component": name, "node": candidate.node_folders(manifest, name, source)} for name in targets]
    runtime.output("commit", commit)
    runtime.output("components", json.dumps(list(targets)))
    runtime.output("builds", json.dumps(builds))
    runtime.output("browser_tests", "true" if manifest.browser_tests else "false")
    runtime.output("url", next((target.url for target in reversed(list(targets.values()))), ""))
    runtime.summary(f"**`{commit[:7]}`** goes to {values['environment']}: {', '.join(targets)}")
    return 0
