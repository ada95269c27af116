"""Open an environment's page in a browser, on a desktop and on a phone, often enough to say how long that takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from actions.delivery import ENVIRONMENT
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(
        name="samples",
        doc="How often, on each device; a 95 % interval of a 95th percentile has an end from 72 on.",
        default="75",
    ),
)
OUTPUTS: tuple[Output, ...] = (Output(name="folder", doc="Where the result is, to be uploaded."),)

ROOT = Path(__file__).resolve().parents[2]
UNUSABLE = 2
"""What e2e.page_load ends with when it could not begin."""


def main(runtime: Runtime) -> int:
    """Whether targets are met is judged later, with what else was measured. Raises InputError, CheckFailed without a result."""
    values = runtime.inputs(INPUTS)
    from pipelines.delivery.context import WORK
    from pipelines.errors import CheckFailed, InputError

    folder = WORK / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    result = (folder / "pages.json").absolute()
    argv = [sys.executable, "-P", "-m", "e2e.page_load", "--environment", values["environment"], "--json", str(result)]
    argv += ["--samples", values["samples"]]
    ended = subprocess.run(
        argv, env={**runtime.environ, "PYTHONPATH": str(ROOT)}, stdout=sys.stderr, check=False
    ).returncode
    if ended == UNUSABLE:
        raise InputError(
            "the page loads could not begin", where=values["environment"], next_step="read the lines above"
        )
    if not result.is_file():
        raise CheckFailed(
            "the page loads left no result",
            where=values["environment"],
            why=f"they ended with {ended}",
            next_step="read the lines above",
        )
    runtime.output("folder", str(folder))
    return 0
