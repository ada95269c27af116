"""Run the release's browser tests against an environment. They are code of the release: this job holds no secret."""

from __future__ import annotations

from pathlib import Path

from actions.delivery import ENVIRONMENT, SOURCE
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(name="version", doc="Release that must be seen; empty on staging, where the commit names it."),
    SOURCE,
    Input(name="artifacts", doc="Folder for screenshots and traces.", default="e2e-artifacts"),
)
OUTPUTS: tuple[Output, ...] = ()


def main(runtime: Runtime) -> int:
    """Raises CheckFailed when a test failed or none ran, InputError when the release has none."""
    values = runtime.inputs(INPUTS)
    from pipelines.ci import browser_tests
    from pipelines.delivery.context import head_commit, manifest_in, settings_of, short_name
    from pipelines.errors import InputError
    from pipelines.manifest import definition, load

    source = Path(values["source"])
    manifest = definition.apply(load(), definition.read(manifest_in(source)))
    if manifest.browser_tests is None:
        raise InputError(
            "the release has no browser tests",
            where="shipmate.yml",
            next_step="say `browser_tests:` there, or leave the job out",
        )
    targets = settings_of(manifest, values["environment"]).targets
    ran = browser_tests.run(
        manifest.browser_tests,
        source.resolve(),
        {name: target.url for name, target in targets.items()},
        release=values["version"] or short_name(head_commit(source)),
        artifacts=Path(values["artifacts"]),
        runtime=runtime,
    )
    runtime.summary(f"### Browser tests of {values['environment']}\n\n{ran}")
    return 0
