"""Build one component of the release, with no credentials: what is made is an OCI layout that another job pushes."""

from __future__ import annotations

from pathlib import Path

from actions.delivery import COMPONENT, SOURCE
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (COMPONENT, SOURCE)
OUTPUTS: tuple[Output, ...] = (
    Output(name="folder", doc="The OCI layout."),
    Output(name="digest", doc="The digest of its manifest."),
)


def main(runtime: Runtime) -> int:
    """Raises what pipelines.ci.artifacts.build raises."""
    values = runtime.inputs(INPUTS)
    from pipelines.ci import artifacts
    from pipelines.delivery.context import WORK, head_commit, manifest_in
    from pipelines.http import Http
    from pipelines.manifest import definition, load

    source, name = Path(values["source"]), values["component"]
    manifest = definition.apply(load(), definition.read(manifest_in(source)))
    output = WORK / "layouts" / name
    digest = artifacts.build(manifest, name, head_commit(source), output.resolve(), http=Http(), runtime=runtime)
    runtime.summary(f"**{name}** is built: `{digest}`")
    runtime.output("folder", str(output))
    runtime.output("digest", digest)
    return 0
