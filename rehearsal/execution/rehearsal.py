"""Run stories, each in a world of its own and two at a time, and write the report."""

from __future__ import annotations

import os
import platform
import shutil
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.execution import world_cache, written_secrets
from rehearsal.execution.live_view import LiveView
from rehearsal.execution.progress import StoryProgress
from rehearsal.execution.screenshots import Browser
from rehearsal.report import collect, page
from rehearsal.report import model as reported
from rehearsal.scenario.assertions import ExpectationFailed, eventually
from rehearsal.scenario.event_log import EventLog
from rehearsal.scenario.steps import UNDER_WAY, Scenario
from rehearsal.scenario.world_client import WorldClient
from rehearsal.stories import table
from rehearsal.stories.table import Story
from rehearsal.world import leftovers
from rehearsal.world.handle import TIME_SCALE, World, WorldFailed

PARALLEL = 2
"""Stories at a time. One alone waits for half of its time; more than two slow each other down on two cores."""
QUIET_SECONDS = 120
"""How long the last jobs of the quick start may take to end before its world is kept."""


class Interrupted(RuntimeError):
    """The rehearsal ends before this story does."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One story, and what its world observed."""

    story: reported.Story
    repository: str
    requests: Counter[str]
    """Emulator -> requests it answered."""
    violations: Sequence[str]
    seconds_to_ready: float
    screenshots: dict[str, bytes]
    """Name of a file beside the report -> PNG."""


def rehearse(
    repository: Path,
    stories: Sequence[Story],
    output: Path,
    *,
    live_on_stderr: bool = False,
    use_kept_world: bool = False,
    time_scale: float = TIME_SCALE,
) -> tuple[reported.Report, Path]:
    """Run the stories. Those that need a release start from a copy of the quick start's world, and are not run when it failed.
    What one story leaves behind reaches no other.

    `use_kept_world`: where the quick start runs only because others need it, a kept world of it serves instead.
    The report and its page. Raises WorldFailed.
    """
    folder = leftovers.folder()
    try:
        start = folder / "released"
        started_from = ""
        if use_kept_world and world_cache.restore(repository, start):
            stories = [story for story in stories if story.name != table.START]
            started_from = f"a world that the quick start left, kept on {world_cache.kept_on(start)}"
        progress = [StoryProgress(name=story.name, title=story.title) for story in stories]
        with LiveView(progress, on_stderr=live_on_stderr) as view:
            outcomes = Rehearsal(repository=repository, start=start, view=view, time_scale=time_scale).run(stories)
            view.writing_report()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    names = [outcome.story.name for outcome in outcomes]
    report = collect.report(
        [outcome.story for outcome in outcomes],
        repository=outcomes[0].repository,
        machine=machine(outcomes[0].seconds_to_ready),
        started_from=started_from,
        not_run=[story.name for story in stories if story.name not in names],
        requests=dict(sorted(sum((outcome.requests for outcome in outcomes), Counter[str]()).items())),
        violations=[violation for outcome in outcomes for violation in outcome.violations],
    )
    screenshots = {name: png for outcome in outcomes for name, png in outcome.screenshots.items()}
    return report, page.write(report, output, screenshots)


@dataclass(kw_only=True)
class Rehearsal:
    """A run of some stories. `start`: a folder with the world that stories start from which need a release, or where the quick
    start's is put."""

    repository: Path
    start: Path
    view: LiveView
    time_scale: float = TIME_SCALE
    _worlds: list[World] = field(default_factory=list)
    _stopped: bool = False

    def run(self, stories: Sequence[Story]) -> list[Outcome]:
        """Outcomes in the stories' order, of those that were run. Raises WorldFailed."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            try:
                futures = self._submit(pool, [story for story in stories if not story.needs_release])
                if table.START not in futures or futures[table.START].result().story.passed:
                    # The longest first: started last, it would run alone at the end.
                    later = [story for story in stories if story.needs_release]
                    futures |= self._submit(pool, sorted(later, key=lambda story: -story.seconds))
                return [futures[story.name].result() for story in stories if story.name in futures]
            except BaseException:  # Ctrl-C too: no world may outlive it
                pool.shutdown(wait=False, cancel_futures=True)
                self._stop()
                raise

    def _submit(self, pool: ThreadPoolExecutor, stories: Sequence[Story]) -> dict[str, Future[Outcome]]:
        return {story.name: pool.submit(self._run_in_world, story) for story in stories}

    def _stop(self) -> None:
        """End the worlds of the running stories; their next request fails, and they end."""
        self._stopped = True
        for world in list(self._worlds):
            world.end()

    def _run_in_world(self, story: Story) -> Outcome:
        self.view.phase(story.name, "starting its world")
        world = World(
            self.repository,
            time_scale=self.time_scale,
            from_snapshot=self.start if story.needs_release else None,
            changes=story.changes(self.repository),
        )
        self._worlds.append(world)
        with world as client:
            self._raise_if_stopped()
            self.view.follow(story.name, client)
            log, problem, started, ended = self._run_story(story, client)
            self._raise_if_stopped()
            problem = problem or _leak(client, log)
            self.view.phase(story.name, "taking screenshots")
            screenshots, collected = _collect(story, client, log, problem, started, ended)
            if story.name == table.START and collected.passed:
                self._keep(world, client)
            self.view.story_ended(story.name, problem, collected.seconds)
            return Outcome(
                story=collected,
                repository=client.repository,
                requests=requests(client),
                violations=[violation["text"] for violation in client.inspect("violations")],
                seconds_to_ready=world.seconds_to_ready,
                screenshots=screenshots,
            )

    def _run_story(self, story: Story, world: WorldClient) -> tuple[EventLog, str, float, float]:
        """Event log, problem, start and end; a failure is part of the outcome."""
        log = EventLog(story=story.name, listener=lambda event: self.view.event(story.name, event))
        self.view.story_started(story.name)
        started = time.time()
        problem = ""
        try:
            scenario = Scenario(world=world, log=log)
            if story.needs_release:
                scenario.start_apps()
            story.run(scenario)
        except Exception as error:  # a story fails in as many ways as there are bugs; each belongs in the report
            problem = (str(error) if isinstance(error, AssertionError) else "") or traceback.format_exc()
        return log, problem, started, time.time()

    def _keep(self, world: World, client: WorldClient) -> None:
        """For the other stories, and for the next rehearsal of a single one. When it cannot be kept, those that need it fail."""
        self.view.phase(table.START, "keeping its world for the others")
        try:
            eventually(lambda: _is_quiet(client), "the last jobs to end", seconds=QUIET_SECONDS)
            world.save(self.start)
            world_cache.keep(self.start, self.repository)
        except (ExpectationFailed, WorldFailed, OSError) as error:
            self.view.warn(f"the world of the quick start is not kept: {error}")

    def _raise_if_stopped(self) -> None:
        if self._stopped:
            raise Interrupted("the rehearsal was ended")


def _collect(
    story: Story, world: WorldClient, log: EventLog, problem: str, started: float, ended: float
) -> tuple[dict[str, bytes], reported.Story]:
    """The screenshots by their files, and the story for the report."""
    with Browser(world) as browser:
        taken = browser.take(story.name)
    files = {title: f"screenshots/{story.name}-{number}.png" for number, title in enumerate(taken.images, start=1)}
    collected = collect.story(
        world,
        log,
        title=story.title,
        problem=problem,
        started=started,
        ended=ended,
        screenshots=files,
        missing=taken.missing,
    )
    return {files[title]: png for title, png in taken.images.items()}, collected


def _leak(world: WorldClient, log: EventLog) -> str:
    """What is wrong where a secret of the world stands in what the story left; empty where none does."""
    found = written_secrets.find(world, log)
    return "\n".join(["secrets were written down:", *found]) if found else ""


def _is_quiet(world: WorldClient) -> bool:
    return not any(run["conclusion"] in UNDER_WAY for run in world.inspect("runs"))


def machine(seconds_to_ready: float) -> dict[str, str]:
    """What the figures were measured on, in words."""
    return {
        "cores": f"{len(os.sched_getaffinity(0))} cores",
        "python": f"Python {platform.python_version()}",
        "system": platform.system(),
        "world": f"world ready in {seconds_to_ready:.1f} s",
    }


def requests(world: WorldClient) -> Counter[str]:
    """How many requests each emulator answered."""
    return Counter(entry["emulator"] for entry in world.inspect("journal"))
