"""Tell the chosen stories, each in a world of its own and two at a time, and gather the report."""

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

from rehearsal.execution import world_cache as released
from rehearsal.execution.live_view import LiveView
from rehearsal.execution.progress import Chapter
from rehearsal.execution.screenshots import Pictures
from rehearsal.report import collect, page
from rehearsal.report.model import Report
from rehearsal.report.model import Story as Told
from rehearsal.scenario import assertions as proof
from rehearsal.scenario.event_log import Diary
from rehearsal.scenario.steps import UNDER_WAY, Routine
from rehearsal.scenario.world_client import Place
from rehearsal.stories import table
from rehearsal.stories.table import Story
from rehearsal.world import leftovers
from rehearsal.world.handle import TIME_SCALE, World, WorldFailed

AT_ONCE = 2
"""Stories told side by side. One alone waits for half of its time; more than two make each other late on two cores."""
QUIET_SECONDS = 120
"""How long the last jobs of the quick start may take to end before its world is kept."""


class Interrupted(RuntimeError):
    """The rehearsal ends before this story does."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One story, and what its world had to say at its end."""

    told: Told
    repository: str
    requests: Counter[str]
    violations: Sequence[str]
    seconds_to_ready: float
    pictures: dict[str, bytes]
    """Name of a file beside the report -> PNG."""


def rehearse(
    repository: Path,
    stories: Sequence[Story],
    output: Path,
    *,
    live_on_stderr: bool = False,
    begin_released: bool = False,
    time_scale: float = TIME_SCALE,
) -> tuple[Report, Path]:
    """Tell the stories; those that start from what the quick start leaves begin with a copy of its world, and are not told when
    it failed. What one leaves behind reaches no other.

    `begin_released`: where the quick start is told for the others' sake alone, a kept world it left will do.
    The report and its page. Raises WorldFailed.
    """
    folder = leftovers.folder()
    try:
        start = folder / "released"
        began = ""
        if begin_released and released.lend(repository, start):
            stories = [story for story in stories if story.name != table.START]
            began = f"in a world that the quick start left, kept on {released.age(start)}"
        chapters = [Chapter(name=story.name, title=story.title) for story in stories]
        with LiveView(chapters, on_stderr=live_on_stderr) as view:
            outcomes = Rehearsal(repository=repository, start=start, view=view, time_scale=time_scale).tell(stories)
            view.finishing()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    names = [outcome.told.name for outcome in outcomes]
    report = collect.report(
        [outcome.told for outcome in outcomes],
        repository=outcomes[0].repository,
        machine=machine(outcomes[0].seconds_to_ready),
        began=began,
        untold=[story.name for story in stories if story.name not in names],
        requests=dict(sorted(sum((outcome.requests for outcome in outcomes), Counter[str]()).items())),
        violations=[violation for outcome in outcomes for violation in outcome.violations],
    )
    pictures = {name: png for outcome in outcomes for name, png in outcome.pictures.items()}
    return report, page.write(report, output, pictures)


@dataclass(kw_only=True)
class Rehearsal:
    """The telling of some stories. `start`: a folder with the world that released stories begin with, or where the quick start's
    is put."""

    repository: Path
    start: Path
    view: LiveView
    time_scale: float = TIME_SCALE
    _worlds: list[World] = field(default_factory=list)
    _over: bool = False

    def tell(self, stories: Sequence[Story]) -> list[Outcome]:
        """Outcomes in the stories' order, of those that could be told. Raises WorldFailed."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                at_once = [story for story in stories if not story.starts_released]
                later = [story for story in stories if story.starts_released]
                under_way = self._begin(pool, at_once)
                if table.START not in under_way or under_way[table.START].result().told.passed:
                    # The longest first: begun last, it would be told alone at the end.
                    under_way |= self._begin(pool, sorted(later, key=lambda story: -story.seconds))
                return [under_way[story.name].result() for story in stories if story.name in under_way]
            except BaseException:  # Ctrl-C too: no world may outlive it
                pool.shutdown(wait=False, cancel_futures=True)
                self._end()
                raise

    def _begin(self, pool: ThreadPoolExecutor, stories: Sequence[Story]) -> dict[str, Future[Outcome]]:
        return {story.name: pool.submit(self._in_its_world, story) for story in stories}

    def _end(self) -> None:
        """Take the worlds away from the stories that are being told; their next request fails, and they end."""
        self._over = True
        for world in list(self._worlds):
            world.end()

    def _in_its_world(self, story: Story) -> Outcome:
        self.view.phase(story.name, "starting its world")
        world = World(
            self.repository,
            time_scale=self.time_scale,
            from_snapshot=self.start if story.starts_released else None,
            changes=story.changes(self.repository),
        )
        self._worlds.append(world)
        with world as place:
            self._go_on()
            self.view.follow(story.name, place)
            diary, problem, started, ended = self._told(story, place)
            self._go_on()
            self.view.phase(story.name, "taking pictures")
            pictures, told = _gathered(story, place, diary, problem, started, ended)
            if story.name == table.START and told.passed:
                self._keep(world, place)
            self.view.ends(story.name, problem, told.seconds)
            return Outcome(
                told=told,
                repository=place.repository,
                requests=requests(place),
                violations=[violation["text"] for violation in place.inspect("violations")],
                seconds_to_ready=world.seconds_to_ready,
                pictures=pictures,
            )

    def _told(self, story: Story, place: Place) -> tuple[Diary, str, float, float]:
        """Diary, problem, beginning and end; a failure is part of what is told."""
        diary = Diary(story=story.name, listener=lambda entry: self.view.entry(story.name, entry))
        self.view.begins(story.name)
        started = time.time()
        problem = ""
        try:
            at = Routine(place=place, diary=diary)
            if story.starts_released:
                at.public_release("production")  # in a copied world the first request starts the apps
            story.tell(at)
        except Exception as error:  # a story fails in as many ways as there are bugs; each belongs in the report
            problem = (str(error) if isinstance(error, AssertionError) else "") or traceback.format_exc()
        return diary, problem, started, time.time()

    def _keep(self, world: World, place: Place) -> None:
        """For the other stories, and for the next single one. That it cannot be kept is said; stories that need it then fail."""
        self.view.phase(table.START, "keeping its world for the others")
        try:
            proof.eventually(lambda: _is_quiet(place), "the last jobs to end", seconds=QUIET_SECONDS)
            world.save(self.start)
            released.keep(self.start, self.repository)
        except (proof.Disproved, WorldFailed, OSError) as error:
            self.view.remark(f"the world of the quick start is not kept: {error}")

    def _go_on(self) -> None:
        if self._over:
            raise Interrupted("the rehearsal was ended")


def _gathered(
    story: Story, place: Place, diary: Diary, problem: str, started: float, ended: float
) -> tuple[dict[str, bytes], Told]:
    """The pictures by their files, and the story for the report."""
    with Pictures(place) as camera:
        shots = camera.take(story.name)
    files = {title: f"pictures/{story.name}-{number}.png" for number, title in enumerate(shots.pictures, start=1)}
    told = collect.story(
        place,
        diary,
        title=story.title,
        problem=problem,
        started=started,
        ended=ended,
        pictures=files,
        missing=shots.missing,
    )
    return {files[title]: png for title, png in shots.pictures.items()}, told


def _is_quiet(place: Place) -> bool:
    return not any(run["conclusion"] in UNDER_WAY for run in place.inspect("runs"))


def machine(seconds_to_ready: float) -> dict[str, str]:
    """What the figures were measured on, in words."""
    return {
        "cores": f"{len(os.sched_getaffinity(0))} cores",
        "python": f"Python {platform.python_version()}",
        "system": platform.system(),
        "world": f"world ready in {seconds_to_ready:.1f} s",
    }


def requests(place: Place) -> Counter[str]:
    """How many requests each emulator answered."""
    return Counter(entry["emulator"] for entry in place.inspect("journal"))
