"""Read how long the app took to start on people's phones, by what it reported, and choose the release that is judged."""

from __future__ import annotations

from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (Input(name="sentry_token", doc="Sentry token with the scope org:read.", secret=True),)
OUTPUTS: tuple[Output, ...] = (Output(name="folder", doc="Where the result is, to be uploaded."),)

MOST = 10_000
"""So many starts are read, the newest: more make no percentile truer."""


def main(runtime: Runtime) -> int:
    """Whether the target is met is judged later, with what else was measured.

    Raises InputError where the manifest says nothing of app starts, InvalidRun when too many of them cannot be believed.
    """
    values = runtime.inputs(INPUTS)
    from datetime import UTC, datetime, timedelta

    from pipelines import providers
    from pipelines.checks import app_starts
    from pipelines.delivery.context import WORK
    from pipelines.errors import InputError
    from pipelines.http import Http
    from pipelines.manifest import load

    manifest = load()
    source = manifest.performance.app_starts
    if source is None:
        raise InputError(
            "nothing says where the apps report their starts",
            where=f"{manifest.file.name}, performance",
            next_step="declare `app_starts` there (docs/PERFORMANCE.md)",
        )
    now = datetime.now(UTC)
    reports = providers.start_reports(source, Http(), values["sentry_token"])
    judged = app_starts.choose(reports.starts(since=now - timedelta(days=source.days), until=now, most=MOST))
    period = f"{source.project}, {source.environment}, the last {source.days} days"
    runtime.summary("\n".join([f"### App starts\n\n{period}\n", *(f"- {line}" for line in judged.says())]))
    for release, count in judged.newer.items():
        runtime.annotate(
            "warning",
            f"{release} has {count} of {app_starts.ENOUGH} starts: {judged.release} is judged",
            title="App starts",
        )
    runtime.output("folder", str(app_starts.write(judged, WORK / "starts").parent))
    return 0
