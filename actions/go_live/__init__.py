"""Give the deployed release the traffic, in watched steps; check it where users are; mark it as stable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from actions.delivery import APPROVED, ENVIRONMENT, PLAN, SOURCE, TOKEN, VERCEL
from pipelines.runtime import Input, Output, Runtime

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.delivery.plan import Plan

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    PLAN,
    *APPROVED,
    Input(name="commit", doc="Without a plan: the commit whose components were deployed."),
    SOURCE,
    Input(name="junit", doc="Where to write a JUnit file of the smoke checks.", default="reports/smoke.xml"),
    TOKEN,
    *VERCEL,
)
OUTPUTS: tuple[Output, ...] = (
    Output(
        name="state",
        doc="'live', or 'superseded' when a higher release went live meanwhile and superseded this one.",
    ),
    Output(name="passed", doc="How many smoke checks passed."),
)


def main(runtime: Runtime) -> int:
    """Raises what the steps of the job `go-live` raise (pipelines.delivery.pipeline)."""
    values = runtime.inputs(INPUTS)
    from pathlib import Path

    from actions.delivery import staged
    from actions.deploy_component import read
    from pipelines.delivery import superseding
    from pipelines.delivery.context import WORK
    from pipelines.history import History
    from pipelines.steps import as_markdown, carry_out

    context, made = _planned(runtime, values) if values["plan"] else staged(runtime, values, read(WORK / "deployed"))
    release = context.delivered
    lives = context.lives(made.components)
    higher = superseding.higher_release(made, lives, context.manifest)
    if higher:
        runtime.say(f"{higher} is live and well: {release.name} is superseded, nothing is changed")
        runtime.summary(
            f"### ⏭️ {release.name} is superseded by {higher}\n\nNothing was changed; what it brings is in {higher}."
        )
        runtime.output("state", "superseded")
        return 0
    made = superseding.rebased(made, lives, context.manifest)
    history = History(context)
    history.open(
        release.name, release.commit, {each.component: each.digest for each in made.facts}, plan=values["plan"]
    )
    history.note("in_progress", f"{release.name} goes live")
    try:
        with history.failing(f"{release.name} going live"):
            done = carry_out(made.of_job("go-live"), context)
    finally:
        if context.report is not None:
            runtime.say(context.report.as_text())
            runtime.summary(f"### {context.environment} from outside\n\n{context.report.as_markdown()}")
            junit = Path(values["junit"])
            junit.parent.mkdir(parents=True, exist_ok=True)
            junit.write_text(context.report.as_junit())
        for record in context.watches:
            runtime.summary(record.as_markdown())
        if context.watches:
            kept = WORK / "watched.json"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps([record.as_json() for record in context.watches]))
    passed = context.report.passed if context.report else 0
    runtime.summary(f"### {release.name} is live in {context.environment}\n\n{as_markdown(done)}")
    runtime.output("state", "live")
    runtime.output("passed", str(passed))
    if values["plan"]:
        url = next((target.url for target in reversed(list(context.settings.targets.values()))), "")
        history.note("success", f"{release.name} is live, {passed} checks passed", live_url=url)
    return 0


def _planned(runtime: Runtime, values: dict[str, str]) -> tuple[Context, Plan]:
    """An approval is asked for its age where a delivery begins: by the jobs that deploy, and by a re-run of this one alone."""
    from actions.delivery import planned

    begins = runtime.attempt not in ("", "1")
    return planned(runtime, values if begins else {**values, "approved_until": ""})
