"""Build the app at EAS, once: a build of this commit, profile, version and number that is there is used, or waited for.

What EAS shows is read before anything is started and again after it, so that a run that was killed anywhere is gone on with, and two that
begin the same build end with one. One platform that fails hides nothing of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.errors import ProviderError, ProviderUnavailable, RefusedError, ShipmateError
from pipelines.polling import Polling, minutes

if TYPE_CHECKING:
    from pipelines.clock import Clock
    from pipelines.http import Http
    from pipelines.manifest.mobile import Platform
    from pipelines.providers.eas import Build, Eas

PATIENCE = 90 * 60.0
"""Seconds that a run waits for its builds. A job may take six hours; builds of a free account sometimes wait longer than this."""
EVERY = 15.0
"""Seconds between two looks."""
SAY_EVERY = 120.0
"""Seconds after which a build is reported again although nothing has changed."""
LAG = 2 * EVERY
"""After an order without a clear answer: how many seconds it is looked for."""
MISMATCH = "Runtime version calculated on local machine not equal"
"""As EAS says it (expo/eas-build#449)."""


class BuildFailed(ProviderError):
    """EAS could not build it, or someone cancelled it."""


class RuntimeMismatch(RefusedError):
    """The build has another runtime version than the one worked out here: updates that fit the commit would not reach it."""

    def __init__(self, platform: str, here: str, there: str, url: str) -> None:
        super().__init__(
            f"the runtime version of the {platform} build is {there or 'another'}, worked out here it is {here}",
            where=url,
            why="the app's configuration depends on something that only EAS has (a variable with the visibility secret is not given "
            "to anybody else), or packages were not installed from the lock file here",
            next_step="`eas env:list` shows the variables: give those that app.json or a plugin reads the visibility plain text or "
            "sensitive; `eas fingerprint:compare` shows what differs. Then "
            + ("delete this build with `eas build:delete` and run this again" if there else "run this again"),
        )
        self.platform = platform


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one platform's build: it is there, or `problem` says why not."""

    platform: Platform
    build: Build | None = None
    """Also beside a problem, where there is one."""
    problem: ShipmateError | None = None
    started: bool = False
    """By this run."""

    def require(self) -> Build:
        """The build. Raises the problem."""
        if self.problem is not None or self.build is None:
            raise self.problem or ProviderError(
                "there is no build", where=self.platform, next_step="re-run the job that starts the builds"
            )
        return self.build


@dataclass(frozen=True, kw_only=True)
class Order:
    """What shall be built. `numbers`: platform -> build number, already written into app.json in the folder of `eas`."""

    numbers: Mapping[Platform, int]
    version: str
    commit: str
    profile: str
    runtimes: Mapping[Platform, str]
    """Platform -> runtime version as worked out from this commit."""


@dataclass(kw_only=True)
class Building:
    """Builds of one order. `noted` is called with each build as soon as its id is known; `say` of progress."""

    eas: Eas
    http: Http
    clock: Clock
    say: Callable[[str], None] = lambda text: None
    noted: Callable[[Platform, Build], None] = lambda platform, build: None
    patience: float = PATIENCE
    _outcomes: dict[Platform, Outcome] = field(default_factory=dict)
    _reported: dict[str, tuple[str, float]] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def build(self, order: Order) -> dict[Platform, Outcome]:
        """Begin what is missing, and wait: the outcome for each platform. Raises nothing of EAS's: problems are in the outcomes."""
        started = self.begin(order)
        running = {
            name: each.build for name, each in started.items() if each.build is not None and each.problem is None
        }
        self._wait(order, running, frozenset(name for name, each in started.items() if each.started))
        return {platform: self._outcomes[platform] for platform in order.numbers}

    def begin(self, order: Order) -> dict[Platform, Outcome]:
        """Begin what is missing, and wait for nothing. A build in an outcome goes on, or is over already."""
        self._outcomes, self._reported, self._known = {}, {}, set()
        found: dict[Platform, Build] = {}
        for platform in order.numbers:
            self._attempt(platform, lambda p=platform: self._there(order, p, found))  # type: ignore[misc]
        missing = [each for each in order.numbers if each not in found and each not in self._outcomes]
        started = self._started(order, missing) if missing else {}
        there = {
            platform: Outcome(platform=platform, build=build, started=platform in started)
            for platform, build in {**found, **started}.items()
        }
        return {platform: self._outcomes.get(platform) or there[platform] for platform in order.numbers}

    def wait(self, order: Order, platform: Platform) -> Outcome:
        """Wait for one platform's build, which another job has started: here is nothing of the app that could be built."""
        self._outcomes, self._reported, self._known = {}, {}, set()
        found: dict[Platform, Build] = {}
        self._attempt(platform, lambda: self._there(order, platform, found))
        if platform in self._outcomes:
            return self._outcomes[platform]
        if not found:
            return self._ended_before(order, platform)
        self._wait(order, found, frozenset())
        return self._outcomes[platform]

    # what is there, and what must be started ------------------------------------------------------------------------------

    def _there(self, order: Order, platform: Platform, found: dict[Platform, Build]) -> None:
        build = self._look(order, platform)
        if build is not None:
            self.say(f"{platform}: build {order.numbers[platform]} of {order.version} is {_state(build)}: {build.url}")
            found[platform] = build

    def _look(self, order: Order, platform: Platform) -> Build | None:
        """The build that is used: a finished one, else the oldest that goes on. Any other that goes on is cancelled."""
        alive = sorted(
            (each for each in self._listed(order, platform) if not each.failed),
            key=lambda one: (not one.over, one.created, one.id),
        )
        if not alive:
            return None
        first, *others = alive
        self._note(first)
        for each in others:
            if not each.over:
                self.say(f"{platform}: cancels {each.url}: {first.url} is the same and was started before it")
                self.eas.cancel(each.id)
        return first

    def _ended_before(self, order: Order, platform: Platform) -> Outcome:
        """Of a platform that has no build which goes on or is built: why the newest one is not."""
        failed = self._listed(order, platform)
        if not failed:
            return Outcome(platform=platform, problem=_not_begun(order, platform))
        newest = max(failed, key=lambda one: (one.created, one.id))
        return Outcome(platform=platform, build=newest, problem=self._problem(order, newest))

    def _listed(self, order: Order, platform: Platform) -> list[Build]:
        return self.eas.builds(
            platform=platform,
            commit=order.commit,
            profile=order.profile,
            version=order.version,
            number=order.numbers[platform],
        )

    def _started(self, order: Order, missing: list[Platform]) -> dict[Platform, Build]:
        """Begin what is missing. Whatever the program says, what EAS shows afterwards counts: the first of two may have started."""
        problem: ShipmateError | None = None
        try:
            for build in self.eas.start(missing, order.profile):
                self._note(build)
        except ShipmateError as error:
            problem = error
        found: dict[Platform, Build] = {}
        for platform in missing:
            self._attempt(platform, lambda p=platform: self._appeared(order, p, found, problem))  # type: ignore[misc]
        return found

    def _appeared(
        self, order: Order, platform: Platform, found: dict[Platform, Build], problem: ShipmateError | None
    ) -> None:
        # A refusal is an answer. After one that was lost, and after a success, the list may be a little late.
        answered = problem is not None and not isinstance(problem, ProviderUnavailable)
        until = self.clock.deadline(0.0 if answered else LAG)
        for _ in Polling(interval=EVERY).looks(self.clock, until):
            build = self._look(order, platform)
            if build is not None:
                self.say(f"{platform}: build {build.number} of {build.version} was started: {build.url}")
                found[platform] = build
                return
        raise problem or ProviderError(
            f"EAS says that it began the {platform} build, and shows no build {order.numbers[platform]} of {order.version} and this commit",
            where="eas build:list",
            why="what was uploaded is another commit, version or number than what was asked for",
            next_step="look at the newest build at expo.dev",
        )

    # waiting ------------------------------------------------------------------------------------------------------------

    def _wait(self, order: Order, builds: Mapping[Platform, Build], started: frozenset[Platform]) -> None:
        running = dict(builds)
        for look in Polling(interval=EVERY).looks(self.clock, self.clock.deadline(self.patience)):
            for platform, build in list(running.items()):
                now, problem = self._seen(build)
                self._say_state(now, look.waited)
                if problem is None and not now.over and look.last:
                    problem = self._late(now)
                if problem is None and not now.over:
                    running[platform] = now
                    continue
                del running[platform]
                problem = problem or self._problem(order, now)
                self._outcomes[platform] = Outcome(
                    platform=platform, build=now, problem=problem, started=platform in started
                )
            if not running:
                return

    def _seen(self, build: Build) -> tuple[Build, ShipmateError | None]:
        """As it is now. While Expo is out of reach the build goes on, and so does the wait."""
        try:
            return self.eas.view(build.id), None
        except ProviderUnavailable as error:
            self.say(f"{build.platform}: {error.what}; looks again")
            return build, None
        except ShipmateError as error:
            return build, error

    def _problem(self, order: Order, build: Build) -> ShipmateError | None:
        """Of a build that is over."""
        if build.status == "CANCELED":
            return BuildFailed(
                f"the {build.platform} build was cancelled",
                where=build.url,
                why="someone did it at expo.dev, or with `eas build:cancel`",
                next_step="re-run the job that starts the builds: it builds again, with the same number",
            )
        expected = order.runtimes[build.platform]
        if build.status == "FINISHED":
            if build.runtime == expected:
                return None
            return RuntimeMismatch(build.platform, expected, build.runtime, build.url)
        log = self.eas.log_excerpt(build, self.http)
        if MISMATCH in build.problem or MISMATCH in log:
            return RuntimeMismatch(build.platform, expected, "", build.url)
        return BuildFailed(
            f"the {build.platform} build failed: {build.problem or 'EAS does not say why'}",
            where=build.url,
            why=f"its log ends with\n{log}" if log else "its log cannot be read here; the page above has it",
            next_step="fix what it says and release a higher version; where Expo was at fault, re-run the job that starts the builds",
        )

    def _late(self, build: Build) -> ProviderUnavailable:
        return ProviderUnavailable(
            f"waited {self.patience / 60:.0f} minutes for the {build.platform} build, which is {_state(build)}",
            where=build.url,
            why="a queue at EAS is longer at some hours, and on some plans",
            next_step="run this again: the build goes on and is used",
        )

    def _note(self, build: Build) -> None:
        if build.id not in self._known:
            self.noted(build.platform, build)
            self._known.add(build.id)

    def _say_state(self, build: Build, elapsed: float) -> None:
        message, at = self._reported.get(build.id, ("", 0.0))
        state = _state(build)
        if state != message or elapsed - at >= SAY_EVERY:
            wait = f", to start in about {minutes(build.wait)}" if build.wait is not None else ""
            self.say(f"{build.platform}: {state}{wait}, after {minutes(elapsed)}: {build.url}")
            self._reported[build.id] = (state, elapsed)

    def _attempt(self, platform: Platform, act: Callable[[], None]) -> None:
        try:
            act()
        except ShipmateError as error:
            self._outcomes[platform] = Outcome(platform=platform, problem=error)


def _not_begun(order: Order, platform: Platform) -> ProviderError:
    return ProviderError(
        f"EAS has no {platform} build {order.numbers[platform]} of {order.version} and this commit",
        where="eas build:list",
        why="it was not started, or deleted since",
        next_step="re-run the job that starts the builds: the jobs after it follow",
    )


def _state(build: Build) -> str:
    if build.status == "IN_QUEUE" and build.queue is not None:
        return f"at place {build.queue} of the queue"
    return _STATES.get(build.status, build.status.lower())


_STATES = {
    "NEW": "waiting for other builds of the account",
    "IN_QUEUE": "in the queue",
    "IN_PROGRESS": "being built",
    "FINISHED": "built",
    "ERRORED": "failed",
    "CANCELED": "cancelled",
    "PENDING_CANCEL": "being cancelled",
}
