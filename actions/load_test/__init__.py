"""Make the visits of one runner, and keep what came of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from actions.delivery import ENVIRONMENT, TOKEN, VERCEL
from pipelines.runtime import Input, Output, Runtime

if TYPE_CHECKING:
    from loadtests.run import Progress

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(name="profile", doc="How users arrive.", required=True),
    Input(name="shard", doc="Which runner this is, from 0.", default="0"),
    Input(name="shards", doc="How many there are.", default="1"),
    Input(name="seed", doc="What all of them draw from.", required=True),
    Input(name="start", doc="When all of them begin, in seconds since 1970; empty: when this one is ready."),
    Input(name="accepted", doc="'true': the caller knows that users are there.", default="false"),
    TOKEN,
    *VERCEL,
)
OUTPUTS: tuple[Output, ...] = (Output(name="folder", doc="Where the recording is, to be uploaded."),)


def main(runtime: Runtime) -> int:
    """Raises what pipelines.performance.measure raises."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import policy
    from pipelines import performance
    from pipelines.delivery.context import WORK

    context = policy(runtime, values)
    recording, serving = performance.measure(
        context,
        values["profile"],
        accepted=values["accepted"] == "true",
        seed=int(values["seed"]),
        shard=int(values["shard"]),
        shards=int(values["shards"]),
        start=float(values["start"]) if values["start"] else None,
        progress=_Log(runtime).show,
    )
    folder = WORK / "load"
    folder.mkdir(parents=True, exist_ok=True)
    document = {"commit": serving.commit, "recording": json.loads(recording.to_json())}
    (folder / f"shard-{values['shard']}.json").write_text(json.dumps(document))
    runtime.output("folder", str(folder))
    return 0


class _Log:
    """A line every ten seconds: a log is not a terminal."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime, self._next = runtime, 0.0

    def show(self, now: Progress) -> None:
        if now.seconds < self._next:
            return
        self._next = now.seconds + 10
        self._runtime.say(
            f"{now.seconds:4.0f} s: {now.begun} of {now.due} visits begun, {now.late} late, {now.requests} requests, {now.errors} failed"
        )
