"""Check an environment from outside as the manifest says, and settle the release when all is well."""

from __future__ import annotations

from actions.delivery import CANDIDATE, ENVIRONMENT, TOKEN, VERCEL
from pipelines.runtime import Input, Output, Runtime, as_flag

INPUTS = (
    ENVIRONMENT,
    *CANDIDATE,
    Input(
        name="settle", doc="'true': mark the release as good to come back to, and live in the ledger.", default="false"
    ),
    Input(name="junit", doc="Where to write a JUnit file.", default="reports/smoke.xml"),
    TOKEN,
    *VERCEL,
)
OUTPUTS = (Output(name="passed", doc="How many checks passed."),)


def main(runtime: Runtime) -> int:
    """Raises CheckFailed with every check that failed."""
    values = runtime.inputs(INPUTS)
    settle = as_flag("settle", values["settle"])
    from actions.delivery import candidate, delivery
    from pipelines.delivery import deployment

    delivered = delivery(runtime, values)
    wanted = candidate(delivered, values)
    report = deployment.prove(delivered, wanted)
    runtime.say(report.as_text())
    runtime.summary(f"### {delivered.environment} from outside\n\n{report.as_markdown()}")
    junit = delivered.manifest.root / values["junit"]
    junit.parent.mkdir(parents=True, exist_ok=True)
    junit.write_text(report.as_junit())
    runtime.output("passed", str(sum(result.ok for result in report.results)))
    if settle:
        deployment.settle(delivered, wanted, report)
    else:
        deployment.require_passed(delivered, report)
    return 0
