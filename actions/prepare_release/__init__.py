"""Write the files of a release (SBOMs, checksums, notes), so that their provenance can be attested before they are out."""

from __future__ import annotations

import os
from pathlib import Path

from actions.delivery import TOKEN
from pipelines.runtime import Input, Output, Runtime

INPUTS = (
    Input(name="version", doc="The release.", required=True),
    Input(name="backend", doc="Backend image by digest."),
    Input(name="web", doc="Web build by digest."),
    Input(name="folder", doc="Where to write them.", default="dist/release"),
    TOKEN,
)
OUTPUTS = (Output(name="folder", doc="Where they are."),)


def main(runtime: Runtime) -> int:
    """Raises what `shipmate release assets` raises."""
    values = runtime.inputs(INPUTS)
    from release.cli import command

    # The release engine is a command of its own, which takes its token as every command does.
    os.environ["GITHUB_TOKEN"] = values["token"]
    deploys = [f"--deploys={name}={values[name]}" for name in ("backend", "web") if values[name]]
    folder = values["folder"]
    command.main(args=["assets", values["version"], "--out", folder, *deploys], standalone_mode=False)
    names = sorted(file.name for file in Path(folder).iterdir())
    runtime.summary(f"### The files of {values['version']}\n\n" + "\n".join(f"- `{name}`" for name in names))
    runtime.output("folder", folder)
    return 0
