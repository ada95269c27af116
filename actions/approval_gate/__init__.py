"""Let a release pass when somebody else approved it, and write that to the ledger."""

from __future__ import annotations

from actions.delivery import ENVIRONMENT, TOKEN
from pipelines.runtime import Input, Output, Runtime, as_number, fenced

INPUTS = (
    ENVIRONMENT,
    Input(name="version", doc="The release.", required=True),
    Input(name="commit", doc="Its commit.", required=True),
    Input(name="digest", doc="Digest of the plan to approve.", required=True),
    Input(name="break_glass", doc="Reason to go without approval; only for those the manifest names."),
    Input(
        name="wait_minutes", doc="How long to wait for a comment when the environment has no reviewers.", default="50"
    ),
    TOKEN,
)
OUTPUTS = (
    Output(name="by", doc="Who approved."),
    Output(name="url", doc="Where they did."),
)


def main(runtime: Runtime) -> int:
    """Raises RefusedError when nobody approved, or somebody rejected."""
    values = runtime.inputs(INPUTS)
    minutes = as_number("wait_minutes", values["wait_minutes"])
    from actions.delivery import delivery
    from pipelines.delivery.approval import obtain as approval

    approved = approval.obtain(
        delivery(runtime, values),
        release=values["version"],
        commit=values["commit"],
        plan=values["digest"],
        break_glass=values["break_glass"],
        wait_seconds=60.0 * minutes,
    )
    if approved is None:
        runtime.say("this environment needs no approval")
        return 0
    how = "⚠️ goes without approval: the glass was broken by" if approved.broke_glass else "✅ approved by"
    said = f"\n\n{fenced(approved.text)}" if approved.text else ""
    runtime.summary(f"**{values['version']}** {how} **{approved.by}** for plan `{values['digest']}`{said}")
    runtime.output("by", approved.by)
    runtime.output("url", approved.url)
    return 0
