"""Builds at the emulated EAS: one for each platform and number, whatever breaks, and both platforms are always reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import CredentialsError, ProviderUnavailable
from pipelines.manifest.mobile import Platform
from pipelines.mobile.building import PATIENCE, BuildFailed, Building, Order, Outcome, RuntimeMismatch
from pipelines.providers.eas import Build
from rehearsal.emulators.eas.state import Pace
from rehearsal.faults import Fault
from tests.pipelines.mobile.expo import TOKEN, Expo, expo

pytestmark = pytest.mark.world
BOTH: dict[Platform, int] = {"android": 7, "ios": 9}


class World:
    """An order of both platforms, and what was noted of it."""

    def __init__(self, expo: Expo) -> None:
        self.expo = expo
        self.noted: dict[str, str] = {}
        self.messages: list[str] = []
        eas = expo.eas()
        runtimes: dict[Platform, str] = {p: eas.fingerprint(p, "production") for p in BOTH}
        self.order = Order(numbers=BOTH, version="1.2.0", commit=expo.commit, profile="production", runtimes=runtimes)
        expo.calls.clear()
        expo.account.pace = Pace(queue=10.0, build=20.0)

    def build(self, *, token: str = TOKEN, patience: float = PATIENCE) -> dict[Platform, Outcome]:
        def noted(platform: Platform, build: Build) -> None:
            self.noted[platform] = build.id

        made = Building(
            eas=self.expo.eas(token),
            http=self.expo.http,
            clock=self.expo.clock,
            say=self.messages.append,
            noted=noted,
            patience=patience,
        )
        return made.build(self.order)

    @property
    def kept(self) -> Counter[str]:
        """How many builds each platform has that nobody cancelled."""
        return Counter(each.platform for each in self.expo.account.builds.values() if each.canceled is None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with expo(tmp_path) as made:
        yield World(made)


def test_both_are_begun_by_one_order_and_reported_while_they_wait(world: World) -> None:
    outcomes = world.build()
    builds = {platform: each.build for platform, each in outcomes.items()}
    assert all(each.problem is None and each.started for each in outcomes.values())
    assert {p: (b.status, b.number, b.version) for p, b in builds.items() if b} == {
        "android": ("FINISHED", "7", "1.2.0"),
        "ios": ("FINISHED", "9", "1.2.0"),
    }
    assert world.noted == {platform: build.id for platform, build in builds.items() if build}
    assert world.expo.called("build") == 1
    for sign in ("android: at place 3 of the queue, to start in about", "ios: being built, after", "builds/"):
        assert any(sign in each for each in world.messages), world.messages
    assert len(world.messages) < 12


def test_what_is_there_is_used(world: World) -> None:
    first = world.build()
    again = world.build()
    assert {p: each.build for p, each in again.items()} == {p: each.build for p, each in first.items()}
    assert not any(each.started for each in again.values())
    assert world.expo.called("build") == 1


def test_another_number_or_version_is_another_build(world: World) -> None:
    world.build()
    world.expo.numbered(android=8, ios=10)
    world.order = replace(world.order, numbers={"android": 8, "ios": 10})
    outcomes = world.build()
    assert [each.started for each in outcomes.values()] == [True, True]
    runtimes = {each.platform: each.runtime for each in world.expo.account.builds.values()}
    assert runtimes == world.order.runtimes, "a build number changes no runtime version"
    assert [each.problem for each in outcomes.values()] == [None, None]


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(kills=st.lists(st.tuples(st.integers(0, 24), st.booleans()), max_size=3))
def test_killed_anywhere_it_ends_with_one_build_for_each_platform(world: World, kills: list[tuple[int, bool]]) -> None:
    """At any request to EAS, before or after its effect; again and again."""
    world.expo.account.clear()
    for left, answered in kills:
        world.expo.killed(left, answered, world.build)
    outcomes = world.build()
    assert [each.problem for each in outcomes.values()] == [None, None]
    assert world.kept == {"android": 1, "ios": 1}
    assert {each.number for each in world.expo.account.builds.values()} == {"7", "9"}


@pytest.mark.parametrize("call", range(1, 5))
@pytest.mark.parametrize("kind", ["cut", "lose_answer"])
def test_a_connection_that_breaks_while_builds_are_begun_makes_none_twice(world: World, call: int, kind: str) -> None:
    """The program's own calls: upload and start of Android, upload and start of iOS. Where the first began, it is found."""
    world.expo.faults.add(
        Fault(kind=kind, path="/rehearsal/(upload-project|start-build)", after=call - 1, times=1)  # type: ignore[arg-type]
    )
    first = world.build()
    began = {"android": call > 2 or (call, kind) == (2, "lose_answer"), "ios": (call, kind) == (4, "lose_answer")}
    assert {platform: each.build is not None for platform, each in first.items()} == began
    assert set(world.noted) == {platform for platform, there in began.items() if there}
    assert all(each.problem is None or isinstance(each.problem, ProviderUnavailable) for each in first.values())
    second = world.build()
    assert [each.problem for each in second.values()] == [None, None]
    assert world.kept == {"android": 1, "ios": 1}


def test_where_the_second_is_refused_the_first_goes_on(world: World) -> None:
    """With -p all eas begins one after the other, and prints nothing of the first when the second is refused."""
    world.expo.program.edit(ios={"buildNumber": "9"})
    runtimes: dict[Platform, str] = {p: world.expo.eas().fingerprint(p, "production") for p in BOTH}
    world.order = replace(world.order, runtimes=runtimes)
    outcomes = world.build()
    assert outcomes["android"].problem is None and outcomes["android"].started
    assert "bundleIdentifier" in str(outcomes["ios"].problem)
    assert world.kept == {"android": 1}


def test_a_build_that_fails_shows_what_matters_of_its_log_and_not_the_other(world: World) -> None:
    log = ["> Task :app:compile", "error: package react.nowhere does not exist"]
    world.expo.emulator.control.next_build(platform="ios", code="XCODE_BUILD_FAILED", message="Xcode failed", log=log)
    outcomes = world.build()
    assert outcomes["android"].problem is None
    problem, build = outcomes["ios"].problem, outcomes["ios"].build
    assert isinstance(problem, BuildFailed) and build is not None
    assert problem.where == build.url and "the ios build failed: Xcode failed" in problem.what
    assert problem.why.splitlines() == ["its log ends with", *log, "Error: Xcode failed"]
    again = world.build()
    assert again["ios"].problem is None and again["ios"].started and not again["android"].started


def test_a_build_that_someone_cancels_is_reported_and_built_again_by_the_next_run(world: World) -> None:
    def cancel(words: Sequence[str]) -> None:
        if words[0] == "build:view" and not any(b.canceled for b in world.expo.account.builds.values()):
            world.expo.emulator.control.cancel(world.noted["android"])

    world.expo.before = cancel
    outcomes = world.build()
    assert isinstance(outcomes["android"].problem, BuildFailed) and "was cancelled" in outcomes["android"].problem.what
    assert outcomes["ios"].problem is None
    assert world.build()["android"].problem is None


def test_two_that_begin_the_same_end_with_the_one_that_was_first(world: World) -> None:
    other = world.expo.eas()

    def begin(words: Sequence[str]) -> None:
        if words[0] == "build":
            world.expo.before = lambda words: None
            other.start(["android", "ios"], "production")
            world.expo.time.forward(1)

    world.expo.before = begin
    outcomes = world.build()
    assert [each.problem for each in outcomes.values()] == [None, None]
    first = {each.platform: each.id for each in list(world.expo.account.builds.values())[:2]}
    assert {platform: each.build.id for platform, each in outcomes.items() if each.build} == first
    assert world.kept == {"android": 1, "ios": 1}


def test_a_queue_that_is_too_long_is_reported_and_the_build_is_used_later(world: World) -> None:
    world.expo.emulator.control.queue(position=40)
    world.expo.account.pace = Pace(queue=900.0)
    outcomes = world.build(patience=600.0)
    for outcome in outcomes.values():
        assert isinstance(outcome.problem, ProviderUnavailable)
        assert "waited 10 minutes" in outcome.problem.what and "goes on and is used" in outcome.problem.next_step
    assert [each.problem for each in world.build().values()] == [None, None]
    assert world.expo.called("build") == 1


@pytest.mark.parametrize("stops", [True, False])
def test_variables_that_only_eas_has_are_a_failure_of_its_own(world: World, stops: bool) -> None:
    """expo/eas-cli#3602, expo/expo#46817: no update of the commit would reach the build."""
    world.expo.emulator.control.variables({"EXPO_PUBLIC_API": "https://api.techmate.test"}, stop=stops)
    for outcome in world.build().values():
        assert isinstance(outcome.problem, RuntimeMismatch)
        assert outcome.problem.next_step.endswith("run this again")
        assert ("eas build:delete" in outcome.problem.next_step) is not stops


def test_a_token_that_is_refused_is_reported_for_each(world: World) -> None:
    outcomes = world.build(token="another")
    assert all(isinstance(each.problem, CredentialsError) for each in outcomes.values())
    assert not world.expo.account.builds


def test_expo_out_of_reach_while_it_builds_is_waited_out(world: World) -> None:
    world.expo.faults.add(Fault(kind="cut", path="/rehearsal/build$", after=2, times=20))
    assert [each.problem for each in world.build().values()] == [None, None]
    assert any("looks again" in each for each in world.messages)
