"""Find the release that an environment serves, and divide its browser tests among runners by how long they took."""

from __future__ import annotations

import json

from actions.delivery import ENVIRONMENT, TOKEN, github
from pipelines.runtime import Input, Output, Runtime

MOST_SHARDS = 32

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(name="shards", doc="On how many runners.", default="2"),
    Input(
        name="asked",
        doc="'true' when it was requested; otherwise a manifest without browser tests is no error.",
        default="true",
    ),
    TOKEN,
)
OUTPUTS: tuple[Output, ...] = (
    Output(name="shards", doc="JSON list of numbers, one for each runner, from 1."),
    Output(name="count", doc="How many there are; 0 when there are no browser tests."),
    Output(name="release", doc="The release that is served."),
    Output(name="commit", doc="Its commit, whose tests are to be run."),
    Output(name="read_only", doc="'true' where only those tests may run that change nothing."),
    Output(name="durations", doc="Folder with durations.json: test to seconds, of the last run in which all passed."),
)


def main(runtime: Runtime) -> int:
    """Raises InputError, CheckFailed when no one release is served, RefusedError for one that is none of this repository."""
    values = runtime.inputs(INPUTS)
    from pipelines.checks import served
    from pipelines.delivery import browser_durations, candidate, source
    from pipelines.delivery.context import WORK, settings_of
    from pipelines.errors import InputError
    from pipelines.http import Http
    from pipelines.manifest import load

    policy, environment = load(), values["environment"]
    settings = settings_of(policy, environment)
    if values["asked"] != "true" and policy.browser_tests is None:
        runtime.output("shards", "[]")
        runtime.output("count", "0")
        runtime.summary("No browser tests are declared: nothing to do.")
        return 0
    if not values["shards"].isdecimal() or not 1 <= int(values["shards"]) <= MOST_SHARDS:
        raise InputError(
            f"{values['shards']!r} is no number of runners", where="shards", next_step=f"use 1 to {MOST_SHARDS}"
        )
    main_branch, count = policy.release.main, int(values["shards"])
    urls = {name: target.url for name, target in settings.targets.items()}
    release = served.release(settings.smoke, urls, Http(), environment=environment, patience=settings.patience_seconds)
    commit = source.commit_of_release(
        policy.root, release, lambda branch: branch == main_branch or candidate.is_maintenance(policy, branch)
    )
    seconds = browser_durations.last_good(github(runtime, values["token"]), environment, main=main_branch)
    folder = WORK / "durations"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "durations.json").write_text(json.dumps(seconds))
    guarded = settings.proved_by is not None or settings.approval is not None
    runtime.output("shards", json.dumps(list(range(1, count + 1))))
    runtime.output("count", str(count))
    runtime.output("release", release)
    runtime.output("commit", commit)
    runtime.output("read_only", "true" if guarded else "false")
    runtime.output("durations", str(folder))
    known = f"{len(seconds)} tests have a recorded duration" if seconds else "no duration is recorded"
    runtime.summary(
        f"### Browser tests of {environment}\n\n`{release}`, {'those that change nothing' if guarded else 'all of them'}, "
        f"on {count} runner{'s' if count > 1 else ''}; {known}"
    )
    return 0
