"""Give the deployed release the traffic, in watched steps; check it where users are; mark it as stable."""

from __future__ import annotations

from actions.delivery import APPROVED, ENVIRONMENT, PLAN, SOURCE, TOKEN, VERCEL
from pipelines.runtime import Input, Output, Runtime

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
OUTPUTS: tuple[Output, ...] = (Output(name="passed", doc="How many smoke checks passed."),)


def main(runtime: Runtime) -> int:
    """Raises what the steps of the job `go-live` raise (pipelines.delivery.pipeline)."""
    values = runtime.inputs(INPUTS)
    from pathlib import Path

    from actions.delivery import planned, staged
    from actions.deploy_component import read
    from pipelines.delivery.context import WORK
    from pipelines.delivery.history import History
    from pipelines.delivery.run import as_markdown, carry_out

    context, made = planned(runtime, values) if values["plan"] else staged(runtime, values, read(WORK / "deployed"))
    release = context.delivered
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
    passed = len(context.report.results) if context.report else 0
    runtime.summary(f"### {release.name} is live in {context.environment}\n\n{as_markdown(done)}")
    runtime.output("passed", str(passed))
    if values["plan"]:
        url = next((target.url for target in reversed(list(context.settings.targets.values()))), "")
        history.note("success", f"{release.name} is live, {passed} checks passed", live_url=url)
    return 0
