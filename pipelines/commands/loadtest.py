"""`shipmate loadtest`: let users come to an environment, and say whether the performance targets hold."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands import options

if TYPE_CHECKING:
    from loadtests.recording import Recording
    from loadtests.run import Progress
    from loadtests.verdicts import Judgement
    from pipelines.delivery.context import Context


@click.command("loadtest", short_help="Whether the performance targets hold under load.")
@options.environment("Which environment; its `load` says how much it takes.")
@click.option(
    "--profile",
    "-p",
    "profile",
    default="smoke",
    show_default=True,
    help="How users arrive: one of `performance/profiles`.",
)
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Generators on this machine."
)
@click.option(
    "--seed", type=int, default=None, help="Make the very visits of an earlier run again; its report names the seed."
)
@click.option(
    "--compare-with",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="The recording of the last good run, to find out whether this one is slower.",
)
@click.option(
    "--capacity",
    is_flag=True,
    help="Search the highest rate that meets the targets, from the lowest rate of the profile on.",
)
@click.option(
    "--step-seconds",
    type=click.FloatRange(35, 3600),
    default=None,
    help="With --capacity: how long visits arrive at one rate.  [default: 60]",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("load-report"),
    show_default=True,
    help="Folder for the report (HTML, JSON, Markdown) and the recording.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    environment: str,
    profile: str,
    processes: int,
    seed: int | None,
    compare_with: Path | None,
    capacity: bool,
    step_seconds: float | None,
    output: Path,
    as_json: bool,
) -> None:
    """Make visits as the manifest's journeys describe them, due when users come, and hold what came of them against the targets.

    Exit codes: 0 all targets are met, 7 one is missed, 13 the run says nothing (too short, too slow a
    generator, no data), 6 nobody may load this environment. With --capacity: 0 the rate is found, or is
    at least the most that may be asked, 7 no rate meets the targets, 13 the search ended without an answer
    (the generator at its limit, the time over).

    Example: shipmate loadtest --environment staging --profile smoke
    """
    from loadtests.report import write
    from loadtests.verdicts import judge
    from pipelines import performance
    from pipelines.commands import terminal
    from pipelines.manifest import load

    context = terminal.context(load(), environment)
    _check_options(capacity=capacity, step_seconds=step_seconds, compare_with=compare_with)
    terminal.require_access(context)
    if capacity:
        _search(context, profile, processes, seed, step_seconds, output, as_json=as_json)
        return
    before = _read(compare_with) if compare_with else None
    with _Line() as line:
        recording, _ = performance.measure(context, profile, processes=processes, seed=seed, progress=line.show)
    output.mkdir(parents=True, exist_ok=True)
    (output / "recording.json").write_text(recording.to_json())
    judgement = judge(recording, context.manifest.performance.targets, before=before)
    written = write(judgement, recording, output)
    if as_json:
        click.echo(written.json.read_text(), nl=False)
    else:
        click.echo(f"{environment} serves {recording.release}: {judgement.verdict}")
        for each in judgement.answers:
            click.echo(f"  {each.target}: {each.verdict}: {each.says}")
        for message in performance.slower(judgement):
            click.echo(f"  slower: {message}")
        for message in performance.failing(judgement):
            click.echo(f"  more failed: {message}")
        click.echo(f"the report: {written.html}")
    performance.require_met(judgement, environment)


def _check_options(*, capacity: bool, step_seconds: float | None, compare_with: Path | None) -> None:
    from pipelines.errors import InputError

    if capacity and compare_with:
        raise InputError(
            "a capacity search is compared with nothing", where="--compare-with", next_step="leave one of the two out"
        )
    if step_seconds and not capacity:
        raise InputError(
            "only a capacity search has steps", where="--step-seconds", next_step="add --capacity, or leave it out"
        )


def _search(
    context: Context,
    profile: str,
    processes: int,
    seed: int | None,
    step_seconds: float | None,
    output: Path,
    *,
    as_json: bool,
) -> None:
    import time

    from loadtests.report import Heading, write, write_capacity
    from loadtests.report import capacity as report
    from pipelines import performance

    began, drawn_from = time.time(), int(time.time()) if seed is None else seed

    def keep(number: int, judgement: Judgement, recording: Recording) -> None:
        folder = output / report.step_folder(number)
        write(judgement, recording, folder)
        (folder / "recording.json").write_text(recording.to_json())

    with _Line() as line:
        found, serving = performance.find_capacity(
            context,
            profile,
            seed=drawn_from,
            processes=processes,
            step_seconds=step_seconds,
            about=line.say,
            keep=keep,
            progress=line.show,
        )
    heading = Heading(environment=context.environment, release=serving.release, seed=drawn_from, start=began)
    written = write_capacity(found, heading, output)
    if as_json:
        click.echo(written.json.read_text(), nl=False)
    else:
        click.echo(f"{context.environment} serves {serving.release}: {report.headline(found)}")
        for message in report.reasons(found):
            click.echo(f"  {message}")
        click.echo(f"the report: {written.html}")
    performance.require_found(found, context.environment)


def _read(file: Path) -> Recording:
    from loadtests.recording import Recording
    from pipelines.errors import InputError

    try:
        return Recording.from_json(file.read_text())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{file} is no recording: {error}",
            where="--compare-with",
            next_step="name the recording.json beside the report of an earlier run",
        ) from error


class _Line:
    """On standard error: what is to be done, and on a terminal one line that says how the run goes."""

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def say(self, text: str) -> None:
        self._write("")
        click.echo(text, err=True)

    def show(self, progress: Progress) -> None:
        late = f", {progress.late} late" if progress.late else ""
        self._write(
            f"… {progress.seconds:.0f} s: {progress.begun} of {progress.due} visits begun{late}, "
            f"{progress.requests} requests, {progress.errors} failed"
        )

    def _write(self, text: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{text}\x1b[K")
            sys.stderr.flush()
