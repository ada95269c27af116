"""Run the release's browser tests against an environment. They are code of the release: its job holds as good as no secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from actions.delivery import ENVIRONMENT, SOURCE
from pipelines.runtime import Input, Output, Runtime

if TYPE_CHECKING:
    from pipelines.ci.browser_report import Report
    from pipelines.ci.browser_shards import Share
    from pipelines.manifest.model import BrowserTests, Environment, Smoke

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(name="version", doc="Release that must be seen; empty on staging, where the commit names it."),
    Input(name="read_only", doc="'true': those tests alone that change nothing.", default="false"),
    Input(
        name="candidates",
        doc="Folder with the results of the jobs that deployed: requests go to the candidates' own addresses. Empty: to the public ones.",
    ),
    Input(
        name="vercel_bypass", doc="With candidates, where previews are protected: Vercel's bypass secret.", secret=True
    ),
    SOURCE,
    Input(name="artifacts", doc="Folder for screenshots and traces.", default="e2e-artifacts"),
    Input(
        name="shard", doc="Only this share of the tests, from 1, of the thorough ones as well; empty: the usual tests."
    ),
    Input(name="shards", doc="Of how many shares."),
    Input(name="durations", doc="With shard: JSON file of test to seconds, by which the tests are divided."),
)
OUTPUTS: tuple[Output, ...] = (
    Output(
        name="verdict",
        doc="'passed'; 'failed' when tests failed; 'not live' when the release is not what is served; empty without a result.",
    ),
    Output(name="folder", doc="With shard: folder with what it leaves, to be merged; empty when it left nothing."),
)


def main(runtime: Runtime) -> int:
    """Raises CheckFailed when a test failed, none ran or the release is not live, InputError when it has no tests."""
    values = runtime.inputs(INPUTS)
    from pipelines.ci import browser_tests
    from pipelines.delivery.context import head_commit, manifest_in, settings_of, short_name
    from pipelines.manifest import definition, load

    source, environment = Path(values["source"]), values["environment"]
    manifest = definition.apply(load(), definition.read(manifest_in(source)))
    read_only = values["read_only"] == "true"
    tests = _required(manifest.browser_tests, read_only)
    settings = settings_of(manifest, environment)
    commit = head_commit(source)
    release = values["version"] or short_name(commit)
    routed = _routed(settings, values) if values["candidates"] else None
    share = _share(values)
    if (read_only or share) and routed is None:
        _require_live(runtime, load().environments[environment].smoke, settings, environment, release, commit)
    try:
        ran = browser_tests.run(
            tests,
            source.resolve(),
            _urls(settings),
            release=release,
            artifacts=Path(values["artifacts"]),
            runtime=runtime,
            read_only=read_only,
            routed=routed,
            share=share,
        )
    except browser_tests.BrowserTestsFailed as failed:
        runtime.output("verdict", "failed")
        if failed.report:
            _report(runtime, failed.report, environment, release if routed else "")
        raise
    finally:
        if share and share.folder.is_dir():
            runtime.output("folder", str(share.folder))
    runtime.output("verdict", "passed")
    _report(runtime, ran, environment, release if routed else "")
    return 0


def _report(runtime: Runtime, report: Report, environment: str, candidate: str) -> None:
    """The job's summary: also of what failed, so that nobody has to run it again to see what it was."""
    what = f"the candidate {candidate}" if candidate else environment
    runtime.summary(f"### Browser tests of {what}\n\n{report.markdown(runtime.run_url)}")


def _required(tests: BrowserTests | None, read_only: bool) -> BrowserTests:
    from pipelines.errors import InputError

    if tests is None or (read_only and not tests.read_only):
        raise InputError(
            "the release has no browser tests" + (" that change nothing" if tests else ""),
            where="shipmate.yml",
            next_step=f"say `browser_tests{'/read_only' if tests else ''}:` there, or leave the job out",
        )
    return tests


def _share(values: Mapping[str, str]) -> Share | None:
    """Raises InputError for a share there is not."""
    from pipelines.ci.browser_shards import Share
    from pipelines.delivery.context import WORK
    from pipelines.errors import InputError

    shard, shards = values["shard"], values["shards"]
    if not shard:
        return None
    if not (shard.isdecimal() and shards.isdecimal()) or not 1 <= int(shard) <= int(shards):
        raise InputError(
            f"there is no shard {shard!r} of {shards!r}", where="shard", next_step="use 1 to the number of shards"
        )
    durations = Path(values["durations"]) if values["durations"] else None
    return Share(number=int(shard), count=int(shards), durations=durations, folder=WORK / "browser-shards")


def _urls(settings: Environment) -> dict[str, str]:
    return {name: target.url for name, target in settings.targets.items()}


def _routed(settings: Environment, values: Mapping[str, str]) -> dict[str, str]:
    """The bypass is for the candidates at Vercel alone."""
    from actions.deploy_component import addresses
    from pipelines.ci import browser_tests
    from pipelines.manifest.targets import Vercel
    from pipelines.providers.vercel_protection import HEADER

    secret = values["vercel_bypass"]
    headers = {name: {HEADER: secret} for name, one in settings.targets.items() if secret and isinstance(one, Vercel)}
    return browser_tests.routes(_urls(settings), addresses(Path(values["candidates"])), headers)


def _require_live(
    runtime: Runtime, checks: tuple[Smoke, ...], settings: Environment, environment: str, release: str, commit: str
) -> None:
    """Raises CheckFailed when the checks of the default branch that name the release find another one.

    Then the tests would fail for that alone, and there is nothing of this release to roll back.
    """
    from pipelines.checks import smoke
    from pipelines.checks.patience import patiently
    from pipelines.clock import Clock
    from pipelines.errors import CheckFailed
    from pipelines.http import Http

    urls, http = _urls(settings), Http()
    naming = [check for check in checks if check.component in urls and smoke.names_release(check)]
    facts = {"release": release, "commit": commit}
    report = patiently(lambda: smoke.run(naming, urls, facts, http), Clock.of(http.policy), settings.patience_seconds)
    if report.failed:
        runtime.output("verdict", "not live")
        raise CheckFailed(
            f"{release} is not what {environment} serves now, so there is nothing for a browser to look at",
            where=environment,
            why=f"it was rolled back, or another release went live, or it does not answer: {report.failures()}",
            next_step=f"`shipmate status` says what is live; to bring {release} there, start the workflow again "
            "(a re-run of this job cannot)",
        )
