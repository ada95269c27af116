"""Publish the GitHub release of what is live now, with its notes; finishes what a killed run began."""

from __future__ import annotations

import os

from actions.delivery import TOKEN, github
from pipelines.runtime import Input, Output, Runtime

INPUTS = (
    Input(name="version", doc="The release.", required=True),
    Input(name="commit", doc="The commit that was deployed; the tag must still name it.", required=True),
    Input(name="backend", doc="Backend image by digest."),
    Input(name="web", doc="Web build by digest."),
    Input(name="assets", doc="A folder that prepare_release wrote; then backend and web are in it already."),
    TOKEN,
)
OUTPUTS = (Output(name="url", doc="Page of the release."),)


def main(runtime: Runtime) -> int:
    """Raises RefusedError when the tag was moved since it was planned, and what `shipmate release publish` raises."""
    values = runtime.inputs(INPUTS)
    from pipelines.delivery.resolve import require_unmoved
    from release.cli import command

    hub = github(runtime, values["token"])
    require_unmoved(hub, values["version"], values["commit"])
    # The release engine is a command of its own, which takes its token as every command does.
    os.environ["GITHUB_TOKEN"] = values["token"]
    contents = [f"--deploys={name}={values[name]}" for name in ("backend", "web") if values[name]]
    if values["assets"]:
        contents = ["--assets", values["assets"]]
    command.main(args=["publish", values["version"], *contents], standalone_mode=False)
    url = f"{runtime.environ.get('GITHUB_SERVER_URL', '')}/{hub.name}/releases/tag/{values['version']}"
    runtime.summary(f"### 🚀 [{values['version']}]({url}) is published")
    runtime.output("url", url)
    return 0
