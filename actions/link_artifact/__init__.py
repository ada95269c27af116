"""Link what a job kept for people in its summary: on GitHub's page of a run they stand below everything else, without a word."""

from __future__ import annotations

from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (
    Input(name="title", doc="What it is, for people.", required=True),
    Input(name="url", doc="`artifact-url` of the step that uploaded it; empty when there was nothing to upload."),
)
OUTPUTS: tuple[Output, ...] = ()


def main(runtime: Runtime) -> int:
    """Writes nothing where nothing was uploaded: a link would promise what is not there."""
    values = runtime.inputs(INPUTS)
    if values["url"]:
        runtime.summary(f"📎 [{values['title']}]({values['url']})")
    return 0
