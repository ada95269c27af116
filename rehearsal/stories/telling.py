"""Tell the chosen stories in one world, and gather the report."""

from __future__ import annotations

import os
import platform
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.report import collect, page
from rehearsal.report.model import Report
from rehearsal.report.model import Story as Told
from rehearsal.stories import released, table
from rehearsal.stories.diary import Diary
from rehearsal.stories.live import LiveView
from rehearsal.stories.pictures import Pictures
from rehearsal.stories.place import Place
from rehearsal.stories.routine import Routine
from rehearsal.stories.table import Story
from rehearsal.world.handle import World, WorldFailed


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where stories are told."""

    place: Place
    view: LiveView
    camera: Pictures
    taken: dict[str, bytes] = field(default_factory=dict)
    """Name of a file beside the report -> PNG."""


def rehearse(
    repository: Path,
    stories: Sequence[Story],
    output: Path,
    *,
    live_on_stderr: bool = False,
    begin_released: bool = False,
) -> tuple[Report, Path]:
    """Tell the stories in turn, in one world; those that start from what the quick start leaves are not told when it failed.

    `begin_released`: where the quick start is told for the others' sake alone, a kept world it left will do.
    The report and its page. Raises WorldFailed.
    """
    kept = released.found(repository) if begin_released else None
    if kept is not None:
        stories = [story for story in stories if story.name != table.START]
    world = World(repository, from_snapshot=kept)
    with (
        LiveView([story.title for story in stories], on_stderr=live_on_stderr) as view,
        world as place,
        Pictures(place) as camera,
    ):
        view.follow(place)
        stage = Stage(place=place, view=view, camera=camera)
        told: list[Told] = []
        untold: list[str] = []
        for story in stories:
            if story.starts_released and any(t.name == table.START and not t.passed for t in told):
                untold.append(story.name)
            else:
                told.append(tell(stage, story))
                if told[-1].passed and story.name == table.START:
                    _keep(world, repository, view)
        report = collect.report(
            told,
            repository=place.repository,
            machine=machine(world.seconds_to_ready),
            began=f"in a world that the quick start left, kept on {released.age(kept)}" if kept else "",
            untold=untold,
            requests=requests(place),
            violations=[violation["text"] for violation in place.inspect("violations")],
        )
        view.finishing()
    return report, page.write(report, output, stage.taken)


def _keep(world: World, repository: Path, view: LiveView) -> None:
    """For the next single story. That it cannot be kept is said, and fails nothing."""
    view.keeping()
    try:
        released.keep(world, repository)
    except WorldFailed as error:
        view.remark(str(error))


def tell(stage: Stage, story: Story) -> Told:
    """One story; a failure is part of what is told."""
    diary = Diary(story=story.name, listener=stage.view.entry)
    stage.view.begins(story.title)
    started = time.time()
    problem = ""
    try:
        story.tell(Routine(place=stage.place, diary=diary))
    except Exception as error:  # a story fails in as many ways as there are bugs; each belongs in the report
        problem = (str(error) if isinstance(error, AssertionError) else "") or traceback.format_exc()
    ended = time.time()
    stage.view.ends(story.title, problem, ended - started)
    shots = stage.camera.take(story.name)
    files = {title: f"pictures/{story.name}-{number}.png" for number, title in enumerate(shots.pictures, start=1)}
    stage.taken.update({files[title]: png for title, png in shots.pictures.items()})
    return collect.story(
        stage.place,
        diary,
        title=story.title,
        problem=problem,
        started=started,
        ended=ended,
        pictures=files,
        missing=shots.missing,
    )


def machine(seconds_to_ready: float) -> dict[str, str]:
    """What the figures were measured on, in words."""
    return {
        "cores": f"{len(os.sched_getaffinity(0))} cores",
        "python": f"Python {platform.python_version()}",
        "system": platform.system(),
        "world": f"world ready in {seconds_to_ready:.1f} s",
    }


def requests(place: Place) -> dict[str, int]:
    """How many requests each emulator answered."""
    counts: dict[str, int] = {}
    for entry in place.inspect("journal"):
        counts[entry["emulator"]] = counts.get(entry["emulator"], 0) + 1
    return dict(sorted(counts.items()))
