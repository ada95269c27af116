"""Plan a release: resolve the version, check what can be checked, and write the document that people approve."""

from __future__ import annotations

import json

from actions.delivery import ENVIRONMENT, TOKEN, VERCEL
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(name="version", doc="The tag to release, like v1.0.0.", required=True),
    TOKEN,
    *VERCEL,
)
OUTPUTS: tuple[Output, ...] = (
    Output(name="version", doc="The version."),
    Output(name="commit", doc="The commit its tag named when this ran; carried from here."),
    Output(name="components", doc="JSON list of the components, in the order in which they go live."),
    Output(name="plan", doc="SHA-256 of the plan document: what an approval binds."),
    Output(name="state", doc="'to do', or 'done already'."),
    Output(name="browser_tests", doc="'true' when the release has some that change nothing."),
    Output(name="url", doc="Where users would look first."),
)


def main(runtime: Runtime) -> int:
    """Raises what pipelines.delivery.planning.plan_release raises."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import policy
    from pipelines.delivery import plan_text, planning
    from pipelines.delivery.context import WORK
    from pipelines.history import History

    context = policy(runtime, values)
    found = planning.plan_release(context, values["version"])
    runtime.say(plan_text.as_text(found))
    runtime.summary(plan_text.as_markdown(found))
    planning.write(found, WORK)
    made = found.plan
    if not found.done_already:
        history = History(context)
        digests = {each.component: each.digest for each in made.facts}
        history.open(made.recorded.release, made.recorded.commit, digests, plan=made.digest)
        history.note("queued", f"planned {made.recorded.release}: plan {made.digest[:12]}")
    targets = [context.target(name) for name in made.components]
    for name, value in {
        "version": made.recorded.release,
        "commit": made.recorded.commit,
        "components": json.dumps(list(made.components)),
        "plan": made.digest,
        "state": "done already" if found.done_already else "to do",
        "browser_tests": "true" if found.browser_tests else "false",
        "url": targets[-1].url,
    }.items():
        runtime.output(name, value)
    return 0
