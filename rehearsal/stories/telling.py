"""Tell the chosen stories in one world, and gather the report."""

from __future__ import annotations

import os
import platform
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.report import collect, page
from rehearsal.report.model import Report
from rehearsal.report.model import Story as Told
from rehearsal.stories.diary import Diary
from rehearsal.stories.live import LiveView
from rehearsal.stories.pictures import Pictures
from rehearsal.stories.place import Place
from rehearsal.stories.routine import Routine
from rehearsal.stories.table import Story
from rehearsal.world.handle import World


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where stories are told."""

    place: Place
    view: LiveView
    pictures: Pictures


def rehearse(
    repository: Path, stories: Sequence[Story], output: Path, *, live_on_stderr: bool = False
) -> tuple[Report, Path]:
    """Tell the stories in turn, in one world; a story whose beginning failed is not told. The report and its page."""
    view = LiveView(on_stderr=live_on_stderr)
    with World(repository) as place, view, Pictures(place) as pictures:
        view.follow(place)
        stage = Stage(place=place, view=view, pictures=pictures)
        told: list[Told] = []
        for story in stories:
            told.append(tell(stage, story))
            if not told[-1].passed and story.name == "quick-start":
                break
        report = collect.report(
            told,
            machine=machine(),
            messages=place.messages(),
            requests=requests(place),
            violations=[violation["text"] for violation in place.inspect("violations")],
        )
    return report, page.write(report, output)


def tell(stage: Stage, story: Story) -> Told:
    """One story; a failure is part of what is told."""
    diary = Diary(story=story.name, listener=stage.view.entry)
    stage.view.story(story.title)
    started = time.time()
    problem = ""
    try:
        story.tell(Routine(place=stage.place, diary=diary))
    except Exception as error:  # a story fails in as many ways as there are bugs; each belongs in the report
        problem = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
    ended = time.time()
    stage.view.verdict(story.title, problem, ended - started)
    taken = stage.pictures.take(story.name)
    return collect.story(
        stage.place, diary, title=story.title, problem=problem, started=started, ended=ended, pictures=taken
    )


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def requests(place: Place) -> dict[str, int]:
    """How many requests each emulator answered."""
    counts: dict[str, int] = {}
    for entry in place.inspect("journal"):
        counts[entry["emulator"]] = counts.get(entry["emulator"], 0) + 1
    return dict(sorted(counts.items()))
