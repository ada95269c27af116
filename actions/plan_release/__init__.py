"""Plan a release: resolve the version, check what can be checked, say what will happen, open its record in the ledger."""

from __future__ import annotations

from actions.delivery import ENVIRONMENT, TOKEN
from pipelines.runtime import Input, Output, Runtime

INPUTS = (
    ENVIRONMENT,
    Input(name="version", doc="The tag to release, like v1.0.0.", required=True),
    TOKEN,
)
OUTPUTS = (
    Output(name="version", doc="The version."),
    Output(name="commit", doc="The commit its tag named when this ran; carried from here."),
    Output(name="backend", doc="Backend image by digest, as staging proved it."),
    Output(name="web", doc="Web build by digest, as staging proved it."),
    Output(name="digest", doc="Digest of the plan: what an approval binds."),
    Output(name="state", doc="'to do', or 'done already'."),
)


def main(runtime: Runtime) -> int:
    """Raises what pipelines.delivery.planning.plan and publishing.require_publishable raise."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import delivery
    from pipelines.delivery import planning, publishing

    delivered = delivery(runtime, values)
    planned = planning.plan(delivered, values["version"])
    runtime.say(planning.as_text(planned, delivered.environment))
    runtime.summary(planning.as_markdown(planned, delivered.environment))
    already = planned.resolved.released_already
    candidate = planned.resolved.candidate
    if not already:
        found = publishing.require_publishable(delivered, candidate)
        runtime.say("\n".join(["", "Publishing it at the end:", *(f"  {line}" for line in found)]))
        planning.open_record(delivered, planned)
    for name, value in {
        "version": candidate.release,
        "commit": candidate.commit,
        "backend": candidate.artifacts.get("backend", ""),
        "web": candidate.artifacts.get("web", ""),
        "digest": planned.digest,
        "state": "done already" if already else "to do",
    }.items():
        runtime.output(name, value)
    return 0
