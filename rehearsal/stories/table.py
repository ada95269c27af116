"""The stories there are. One more is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from rehearsal.scenario.steps import Scenario


@dataclass(frozen=True, kw_only=True)
class Story:
    """One story: `module` has `run(scenario: Scenario)`."""

    name: str
    title: str
    module: str
    default: bool = True
    """Run by `make rehearse`; the others by `shipmate rehearse --all` and by the tests."""
    nightly: bool = False
    """Left out by the tests of a change, which assert the same without a world; run every night (.github/workflows/rehearsal.yml)."""
    needs_release: bool = True
    """Needs a platform with two releases in production: it starts from a copy of the world that the quick start left."""
    edits: tuple[tuple[str, str, str], ...] = ()
    """(file, text, what stands in its place) of the platform, before a world starts that is not a copy."""
    seconds: int = 30
    """About how long it takes on two cores; the longest of several starts first."""

    def run(self, scenario: Scenario) -> None:
        module_run: Callable[[Scenario], None] = import_module(f"rehearsal.stories.{self.module}").run
        module_run(scenario)

    def changes(self, repository: Path) -> dict[str, str]:
        """Content of each edited file, by its path. Raises ValueError when a text is not there."""
        changed: dict[str, str] = {}
        for path, text, replacement in self.edits:
            found = changed.get(path) or (repository / path).read_text()
            if text not in found:
                raise ValueError(f"{path} does not hold {text!r}, which the story {self.name!r} replaces")
            changed[path] = found.replace(text, replacement, 1)
        return changed


EDITED = ("apps/backend/backend", "apps/web/public")
"""What the users in the stories edit: the platform that this suite comes with."""

START = "quick-start"
"""The story that releases what others start from."""

PROVED_BY = "    proved_by: staging\n"
"""Of production, in the manifest."""
PAGE_LOAD = "    page load: {of: page-load, component: web, p95_ms: 2000}\n"
"""The target that takes minutes to measure."""

STORIES: dict[str, Story] = {
    story.name: story
    for story in (
        Story(
            name=START,
            title="A pull request reaches production, then a second release",
            module="quick_start",
            needs_release=False,
        ),
        Story(
            name="red-pull-request",
            title="A failing test cannot be merged",
            module="red_pull_request",
            needs_release=False,
        ),
        Story(name="unapproved", seconds=10, title="Nobody approves their own release", module="unapproved"),
        Story(name="bad-release", seconds=60, title="A bad release never stays", module="bad_release", nightly=True),
        Story(
            name="bad-releases",
            seconds=100,
            title="Thirteen bad releases, and what catches each",
            module="bad_releases",
            default=False,
            nightly=True,
        ),
        Story(name="rollback", seconds=20, title="Rollback, by command and by workflow", module="rollback"),
        Story(
            name="stopped",
            seconds=60,
            title="A rollback stops a release that is going live",
            module="stopped",
            default=False,
            nightly=True,
        ),
        Story(
            name="hotfix",
            seconds=60,
            title="A fix from a maintenance branch",
            module="hotfix",
            default=False,
            nightly=True,
        ),
        Story(
            name="killed",
            seconds=120,
            title="Killed at every write, and finished",
            module="killed",
            default=False,
            nightly=True,
        ),
        Story(
            name="performance",
            seconds=200,
            title="A release that breaks a target is stopped before production",
            module="performance",
            default=False,
            nightly=True,
            needs_release=False,
            edits=(
                ("shipmate.yml", PROVED_BY, f"{PROVED_BY}    targets_required: brief\n"),
                ("shipmate.yml", PAGE_LOAD, ""),
            ),
        ),
        Story(
            name="mobile-release",
            seconds=110,
            title="A tag delivers the apps to their testers",
            module="mobile_release",
            default=False,
            needs_release=False,
        ),
        Story(
            name="mobile-mistakes",
            seconds=50,
            title="Tags of the apps that are stopped before a build",
            module="mobile_mistakes",
            default=False,
            nightly=True,
            needs_release=False,
        ),
        Story(
            name="mobile-half",
            seconds=60,
            title="One store has the app, the other is delivered alone",
            module="mobile_half",
            default=False,
            nightly=True,
            needs_release=False,
        ),
        Story(
            name="mobile-killed",
            seconds=90,
            title="A release of the apps, killed in every job, and finished",
            module="mobile_killed",
            default=False,
            nightly=True,
            needs_release=False,
        ),
        Story(
            name="ota-and-back",
            seconds=70,
            title="A bad update over the air is rolled back automatically",
            module="ota_and_back",
            default=False,
            nightly=True,
            needs_release=False,
        ),
        Story(
            name="promote",
            seconds=70,
            title="The apps are promoted to every user, with a halt",
            module="promote",
            default=False,
            nightly=True,
            needs_release=False,
        ),
        Story(
            name="flaky-providers",
            seconds=45,
            title="Unreliable providers are survived",
            module="flaky_providers",
            default=False,
            nightly=True,
        ),
    )
}


def select(names: tuple[str, ...], everything: bool) -> list[Story]:
    """The stories to run, in the table's order, with the quick start before those that need it. Raises KeyError."""
    if not names:
        return [story for story in STORIES.values() if everything or story.default]
    wanted = {name: STORIES[name] for name in names}
    if any(story.needs_release for story in wanted.values()):
        wanted[START] = STORIES[START]
    return [story for story in STORIES.values() if story.name in wanted]


def start_is_implied(names: tuple[str, ...], everything: bool) -> bool:
    """Whether the quick start runs only because others need it."""
    return bool(names) and START not in names and any(story.name == START for story in select(names, everything))
