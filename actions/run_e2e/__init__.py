"""Run the browser tests against an environment."""

from __future__ import annotations

from actions.delivery import ENVIRONMENT
from pipelines.runtime import Input, Runtime

INPUTS = (
    ENVIRONMENT,
    Input(name="version", doc="Release that must be seen; empty on staging, where the commit names it."),
    Input(name="artifacts", doc="Folder for screenshots and traces.", default="e2e-artifacts"),
)
OUTPUTS = ()


def main(runtime: Runtime) -> int:
    """Raises CheckFailed when a test failed or none ran."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import delivery
    from pipelines.delivery import browser_tests

    delivered = delivery(runtime, values)
    ran = browser_tests.run(
        delivered, release=values["version"], artifacts=delivered.manifest.root / values["artifacts"]
    )
    runtime.summary(f"### Browser tests of {delivered.environment}\n\n{ran}")
    return 0
