"""Updates over the air at the emulated EAS: who gets which, and back again, whatever breaks on the way."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import CheckFailed, InputError, LocalError, ProviderError, RefusedError, ShipmateError
from pipelines.http import Http
from pipelines.manifest.mobile import AppWatch, Platform
from pipelines.manifest.performance import AppStarts
from pipelines.mobile import channel_status
from pipelines.mobile.update_health import UpdateReports, of_installs, release_name
from pipelines.mobile.update_notes import FileNotes, Rollback
from pipelines.mobile.updates import Change, Result, Updates, people_have
from pipelines.mobile.watch import Health
from pipelines.overlay import Overlay
from pipelines.providers.eas_updates import EasUpdates, Group, Installs, Update
from pipelines.providers.sentry_sessions import SentrySessions, Sessions
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.eas import updates as served
from rehearsal.emulators.eas.state import DAY
from rehearsal.emulators.sentry import state
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.faults import Fault
from rehearsal.serving import running
from tests.pipelines.mobile.expo import Expo, expo
from tests.rehearsal.emulators.eas_client import PROJECT

pytestmark = pytest.mark.world
BOTH: tuple[Platform, ...] = ("android", "ios")
GOOD = Health(state="good", says="99.90 % of 2,000 sessions without a crash")
BAD = Health(state="bad", says="97.00 % of 2,000 sessions without a crash, 99.5 % are needed")
UNKNOWN = Health(state="unknown", says="3 of the 500 sessions that tell anything, in 7 days")


class World:
    """An app whose builds people have, and the channel that they follow."""

    def __init__(self, expo: Expo, folder: Path) -> None:
        self.expo, self.folder = expo, folder
        self.eas = EasUpdates(expo.eas())
        self.notes = FileNotes(folder / "state/production.json")
        self.health = GOOD
        self.asked: list[Sequence[Update]] = []
        self.said: list[str] = []
        self.made = 0
        self.expo.eas().start(BOTH, "production")
        self.expo.time.forward(3600)
        self.first = self.change("one")

    def updates(self) -> Updates:
        def health(updates: Sequence[Update]) -> Health:
            self.asked.append(updates)
            return self.health

        return Updates(
            eas=self.eas,
            channel="production",
            notes=self.notes,
            clock=self.expo.clock,
            health=health,
            say=self.said.append,
        )

    def change(self, text: str, percent: int = 100, platforms: tuple[Platform, ...] = BOTH) -> Change:
        """Another state of the code, which stays checked out."""
        self.expo.time.forward(60)
        self.made += 1
        eas, commit = self.expo.eas(), self.expo.change(f"{text} {self.made}")
        return Change(
            commit=commit,
            version="1.2.0",
            message=text,
            percent=percent,
            platforms=platforms,
            environment="production",
            runtimes={each: eas.fingerprint(each, "production") for each in platforms},
            builds=people_have(eas, platforms, "production"),
        )

    def publish(self, change: Change) -> Result:
        return self.updates().publish(change)

    def back(self) -> Result:
        self.expo.time.forward(60)
        return self.updates().roll_back()

    def shares(self) -> dict[str, set[str]]:
        """Platform -> commits of what two hundred devices are given; "build" is what they have inside."""
        account = self.expo.account
        line = served.channel(account, PROJECT, "production")
        return {each: {self._given(account, line, each, f"device-{n}") for n in range(200)} for each in BOTH}

    def _given(self, account: Any, line: Any, platform: str, device: str) -> str:
        found = served.served(account, line, platform, self.first.runtimes[cast(Platform, platform)], device)
        return "build" if found is None or found.embedded else str(found.commit)

    def newest(self) -> dict[str, str]:
        """Platform -> group."""
        return {each.platform: each.group for each in self.expo.account.updates.values()}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with expo(tmp_path) as made:
        yield World(made, tmp_path)


def only(commit: str) -> dict[str, set[str]]:
    return {each: {commit} for each in BOTH}


def test_a_change_reaches_everybody_and_is_not_published_twice(world: World) -> None:
    result = world.publish(world.first)
    assert (result.changed, result.percent, len(result.updates)) == (True, 100, 2)
    assert world.shares() == only(world.first.commit)
    again = world.publish(world.first)
    assert not again.changed and "already, with everybody" in again.text
    assert len(world.expo.account.updates) == 2


def test_a_share_only_rises_and_only_while_it_does_well(world: World) -> None:
    world.publish(world.first)
    second = world.change("two", 10)
    assert world.publish(second).percent == 10
    assert world.shares() == {each: {world.first.commit, second.commit} for each in BOTH}
    assert not world.asked, "there was nothing to ask about yet"
    assert not world.publish(second).changed
    world.health = UNKNOWN
    held = world.publish(replace(second, percent=50))
    assert (held.changed, held.percent, held.held) == (False, 10, UNKNOWN.says)
    world.health = GOOD
    assert world.publish(replace(second, percent=50)).percent == 50
    assert {each.platform for each in world.asked[-1]} == set(BOTH)
    with pytest.raises(RefusedError, match="with 50 % of production, and cannot be with 20 %"):
        world.publish(replace(second, percent=20))
    assert world.publish(replace(second, percent=100)).changed
    assert world.shares() == only(second.commit)
    assert "already, with everybody" in world.publish(second).text


def test_while_one_is_rolled_out_no_other_is_published(world: World) -> None:
    """expo/eas-cli#4233: there the program ends with a refusal of the server's, which names nothing to do."""
    world.publish(world.first)
    world.publish(world.change("two", 10))
    with pytest.raises(RefusedError) as refused:
        world.publish(world.change("three"))
    assert all(group in refused.value.what for group in world.newest().values())
    assert "(android, 10 %" in refused.value.what
    assert "--percent 100` in its commit" in refused.value.next_step
    assert "shipmate mobile rollback --channel production" in refused.value.next_step


def test_one_that_begins_meanwhile_is_named_as_well(world: World) -> None:
    world.publish(world.first)
    change = world.change("two")

    def overtake(words: Sequence[str]) -> None:
        if words[0] == "update":
            world.expo.before = lambda words: None
            world.eas.publish("production", "theirs", percent=5, platforms=BOTH, environment="production")

    world.expo.before = overtake
    with pytest.raises(RefusedError, match=r"another update is being rolled out .*5 %, \"theirs\""):
        world.publish(change)


def test_what_the_builds_cannot_run_is_refused_with_the_way_to_release_it(world: World) -> None:
    """expo/eas-cli#3602: published there, it reaches nobody."""
    world.expo.program.write("package-lock.json", {"packages": {"node_modules/expo-camera": {"version": "1.0.0"}}})
    with pytest.raises(RefusedError) as refused:
        world.publish(world.change("two"))
    assert refused.value.what == "the change cannot go over the air on android and ios"
    assert "1.2.0 (7) has " in refused.value.where and "tag with a higher version" in refused.value.next_step
    assert not world.expo.account.updates


def test_where_it_fits_one_platform_alone_that_is_said(world: World) -> None:
    change = world.change("two")
    other = {**change.runtimes, "ios": "0" * 40}
    with pytest.raises(RefusedError, match="on ios") as refused:
        world.publish(replace(change, runtimes=other))
    assert "`--platform android`" in refused.value.next_step
    one = world.change("three", platforms=("android",))
    assert [each.platform for each in world.publish(one).updates] == ["android"]


def test_another_runtime_version_than_expected_is_a_failure_of_its_own(world: World) -> None:
    """expo/expo#46817: reported afterwards, since EAS's own variables are not known here."""
    wrong = {each: f"{number}" * 40 for number, each in enumerate(BOTH)}
    [build] = world.first.builds["android"]
    builds = {each: [replace(build, runtime=wrong[each])] for each in BOTH}
    with pytest.raises(CheckFailed, match="the update has the runtime version") as failed:
        world.publish(replace(world.first, runtimes=wrong, builds=builds))
    assert "eas env:list --environment production" in failed.value.next_step


def test_a_roll_out_that_does_badly_is_taken_back_by_itself(world: World) -> None:
    world.publish(world.first)
    second = world.change("two", 10)
    result = world.publish(second)
    waits: list[float] = []
    world.health = UNKNOWN

    def falls(seconds: float) -> None:
        waits.append(seconds)
        world.expo.time.forward(seconds)
        world.health = BAD if len(waits) == 3 else UNKNOWN

    updates = world.updates()
    updates.clock = replace(updates.clock, wait=falls)
    ended = updates.watch(result, minutes=30)
    assert ended.halted == BAD.says and len(waits) == 3
    assert f"is back from {second.commit[:12]}" in ended.text
    assert world.shares() == only(world.first.commit)
    assert f"bad: {BAD.says}" in world.said
    with pytest.raises(RefusedError, match="was rolled back from production before") as refused:
        world.publish(second)
    assert BAD.says in refused.value.why
    assert world.publish(replace(second, again=True)).changed


def test_raised_while_it_does_badly_it_is_taken_back(world: World) -> None:
    world.publish(world.first)
    second = world.change("two", 10)
    world.publish(second)
    world.health = BAD
    assert world.publish(replace(second, percent=50)).halted == BAD.says
    assert world.shares() == only(world.first.commit)


def test_without_a_verdict_it_is_held_at_the_end(world: World) -> None:
    world.health = UNKNOWN
    result = world.publish(replace(world.first, percent=10))
    ended = world.updates().watch(result, minutes=5)
    assert (ended.held, ended.halted, ended.percent) == (UNKNOWN.says, "", 10)
    assert len(world.said) == 1, "the same is not said again"
    world.health = GOOD
    assert world.updates().watch(result, minutes=1).held == ""


def test_back_is_what_was_there_before_and_once_more_changes_nothing(world: World) -> None:
    """eas update:rollback a second time would publish the bad update again."""
    world.publish(world.first)
    second = world.change("two")
    world.publish(second)
    back = world.back()
    assert back.changed and not back.warning
    assert world.shares() == only(world.first.commit)
    for _ in range(2):
        again = world.back()
        assert not again.changed and f"is back from {second.commit[:12]} already" in again.text
    assert world.shares() == only(world.first.commit)
    third = world.change("three")
    world.publish(third)
    world.back()
    assert world.shares() == only(world.first.commit), "the second was rolled back and is not gone back to"


def test_where_nothing_was_before_devices_go_to_their_build_and_it_is_said(world: World) -> None:
    world.publish(world.first)
    back = world.back()
    assert "what is inside the build" in back.text and "not exactly what they had" in back.warning
    assert world.shares() == only("build")
    second = world.change("two", 10)
    world.publish(second)
    assert world.shares() == {each: {"build", second.commit} for each in BOTH}
    assert "what is inside the build" in world.back().text
    assert world.shares() == only("build")


def test_with_nothing_over_the_air_there_is_nothing_to_take_back(world: World) -> None:
    with pytest.raises(RefusedError, match="nothing over the air can be rolled back"):
        world.back()
    with pytest.raises(InputError, match="there is no channel 'nightly'"):
        replace(world.updates(), channel="nightly").roll_back()


def test_a_roll_out_that_is_over_is_never_reverted(world: World) -> None:
    """At EAS that would send everybody to what is embedded."""
    world.publish(world.first)
    second = world.change("two", 10)
    world.publish(second)
    world.publish(replace(second, percent=100))
    world.back()
    assert world.shares() == only(world.first.commit)
    assert not world.expo.called("update:revert-update-rollout")


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    before=st.sampled_from(["nothing", "update", "embedded"]),
    percent=st.sampled_from([10, 100]),
    kills=st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=3),
)
def test_killed_anywhere_on_the_way_back_it_is_finished_by_running_it_again(
    world: World, before: str, percent: int, kills: list[tuple[int, bool]]
) -> None:
    """At any request to EAS: between the two steps of a revert, too, where nothing at EAS tells what was there."""
    account = world.expo.account
    account.updates.clear()
    world.notes.write((), "")
    if before != "nothing":
        world.first = world.change("one")
        world.publish(world.first)
    if before == "embedded":
        world.back()
    world.publish(world.change("two", percent))
    bad = set(world.newest().values())
    for left, answered in kills:
        world.expo.killed(left, answered, world.back)
    back = world.back()
    assert back.changed or "already" in back.text
    assert world.shares() == only(world.first.commit if before == "update" else "build")
    newest = world.newest()
    assert not bad & set(newest.values())
    latest = [account.updates[key] for key in account.updates if account.updates[key].group in newest.values()]
    assert all(each.message.startswith("Back from ") for each in latest), "devices that took it need something newer"
    assert not world.back().changed


@pytest.mark.parametrize("call", range(4))
@pytest.mark.parametrize("kind", ["cut", "lose_answer"])
def test_a_connection_that_breaks_is_overcome_within_the_run(world: World, call: int, kind: str) -> None:
    world.publish(world.first)
    world.publish(world.change("two", 10))
    fault = Fault(kind=kind, path="/rehearsal/(delete-group|publish)", after=call, times=1)  # type: ignore[arg-type]
    world.expo.faults.add(fault)
    world.back()
    assert world.shares() == only(world.first.commit)


def test_half_taken_back_nothing_else_is_published(world: World) -> None:
    world.publish(world.first)
    world.publish(world.change("two", 10))
    deleted = iter(range(100))
    while not world.expo.killed(next(deleted), True, world.back) or len(world.expo.account.updates) == 4:
        assert len(world.expo.account.updates) == 4
    assert len(world.expo.account.updates) == 3, "killed between the two steps of the first platform"
    with pytest.raises(RefusedError, match="is half rolled back"):
        world.publish(world.change("three"))
    world.back()
    assert world.shares() == only(world.first.commit)


class Broken:
    """Notes out of reach."""

    def read(self) -> tuple[Rollback, ...]:
        raise LocalError("GitHub is down")

    def write(self, rollbacks: Sequence[Rollback], commit: str) -> None:
        raise LocalError("GitHub is down")


def test_while_nothing_can_be_noted_it_is_taken_back_all_the_same(world: World) -> None:
    world.publish(world.first)
    world.publish(world.change("two", 10))
    replace(world.updates(), notes=Broken()).roll_back()
    assert world.shares() == only(world.first.commit)
    assert any("GitHub is down" in each for each in world.said)


def test_a_lost_answer_of_publishing_is_looked_for(world: World) -> None:
    world.expo.faults.add(Fault(kind="lose_answer", path="/rehearsal/publish", times=1))
    assert len(world.publish(replace(world.first, percent=10)).updates) == 2
    assert len(world.expo.account.updates) == 2


class Reported:
    """Sentry, as far as it is asked."""

    def __init__(self, found: dict[str, Sessions | ShipmateError]) -> None:
        self.found = found

    def of(self, release: str, *, days: int) -> Sessions:
        message = self.found.get(release, Sessions(count=0, crash_free_percent=None))
        if isinstance(message, ShipmateError):
            raise message
        return message


def test_each_update_is_a_release_of_its_own_and_eas_is_the_second_witness(world: World) -> None:
    result = world.publish(world.first)
    android, ios = (release_name("ai.techmate.app", "1.2.0", each.id) for each in result.updates)
    assert android == f"ai.techmate.app@1.2.0+update.{result.updates[0].id}"
    sessions = Reported({android: Sessions(count=900, crash_free_percent=99.9)})
    reports = UpdateReports(
        watch=AppWatch(),
        eas=world.eas,
        sessions=cast(SentrySessions, sessions),
        bundle="ai.techmate.app",
        version="1.2.0",
    )
    few = reports.health(result.updates)
    assert (few.state, "ios: 0 of the 500 sessions" in few.says) == ("unknown", True)
    sessions.found[ios] = Sessions(count=900, crash_free_percent=99.8)
    assert reports.health(result.updates).state == "good"
    # The program asks for the days before today, whatever the emulator's clock says.
    ahead = (world.expo.account.now() - time.time()) / DAY
    world.expo.emulator.control.observe(result.updates[1].group, installs=900, failed=100, days_ago=ahead)
    bad = reports.health(result.updates)
    message = "ios: 100 of 1,000 devices could not start it, by EAS: 90.00 % could, 99.5 % are needed"
    assert (bad.state, bad.says) == ("bad", message)
    sessions.found[android] = ProviderError("Sentry is down")
    world.expo.account.updates.clear()
    down = reports.health(result.updates)
    assert down.state == "unknown" and "Sentry is down" in down.says
    assert reports.health([]).state == "unknown"
    assert replace(reports, sessions=None).health(result.updates).state == "unknown"


def test_watched_by_sentry_it_comes_back_as_soon_as_its_own_sessions_crash(world: World) -> None:
    """The build's sessions, all well, count for nothing here."""
    world.publish(world.first)
    second = world.change("two", 10)
    result = world.publish(second)
    sentry = Sentry(tokens={"reader": ("org:read",)}, clock=world.expo.time)

    def report(release: str, total: int, crashed: int) -> None:
        kept = state.Sessions(
            project="mobile",
            received=world.expo.time(),
            release=release,
            environment="production",
            total=total,
            crashed=crashed,
        )
        sentry.organization.sessions.append(kept)

    def devices(seconds: float) -> None:
        """What they report in that time."""
        world.expo.time.forward(seconds)
        for update in result.updates:
            report(release_name("ai.techmate.app", "1.2.0", update.id), 200, 8 if update.platform == "ios" else 0)

    report("ai.techmate.app@1.2.0+7", 10_000, 0)
    violations: list[Violation] = []
    with running(Checked(sentry.app, load("sentry"), violations), "sentry") as server:
        http = Http(overlay=Overlay(hosts={"sentry.io": server.url}))
        sessions = SentrySessions(
            AppStarts(organization="techmate", project="mobile"), http, "reader", section="performance/app_starts"
        )
        reports = UpdateReports(
            watch=AppWatch(), eas=world.eas, sessions=sessions, bundle="ai.techmate.app", version="1.2.0"
        )
        updates = world.updates()
        updates.health, updates.clock = reports.health, replace(updates.clock, wait=devices)
        ended = updates.watch(result, minutes=30)
    assert ended.halted == "ios: 96.00 % of 600 sessions without a crash, 99.5 % are needed"
    assert world.said[0].startswith("unknown: android: 0 of the 500 sessions")
    assert world.shares() == only(world.first.commit)
    assert [violation.text for violation in violations] == []


@given(installs=st.integers(0, 3000), failed=st.integers(0, 3000))
def test_too_few_installs_are_no_verdict_and_more_failures_never_better(installs: int, failed: int) -> None:
    watch = AppWatch()
    found = of_installs(watch, Installs(platform="ios", installs=installs, failed=failed))
    worse = of_installs(watch, Installs(platform="ios", installs=installs, failed=failed + 1))
    assert (found.state == "bad") == (installs + failed >= watch.sessions and 200 * failed > installs + failed)
    assert not (found.state == "bad" and worse.state == "good")


def test_a_channel_that_leads_to_several_branches_is_refused() -> None:
    class Two:
        def ask(self, words: Sequence[str]) -> Any:
            return {"currentPage": {"updateBranches": [{"name": "a"}, {"name": "b"}]}}

    with pytest.raises(RefusedError, match="leads to 2 branches: a, b"):
        EasUpdates(cast(Any, Two())).branch("production")
    assert Group(id="1", runtime="r", platforms=("ios",), percent=100, embedded=False, text="").rolling_out is False


def test_the_status_of_a_channel(world: World) -> None:
    def seen() -> list[tuple[str, str, str, str]]:
        rows = channel_status.rows(world.eas, "production", BOTH)
        return [(row.platform, row.build, row.percent, row.state) for row in rows]

    assert seen() == [("android", "", "", "nothing"), ("ios", "", "", "nothing")]
    world.publish(world.first)
    first = {platform: group[:8] for platform, group in world.newest().items()}
    assert seen() == [(each, first[each], "100 %", "released") for each in BOTH]
    world.publish(world.change("two", percent=10, platforms=("ios",)))
    newest = world.newest()["ios"][:8]
    assert seen() == [("android", first["android"], "100 %", "released"), ("ios", newest, "10 %", "rolling out")]
    world.back()
    assert [state for *_, state in seen()] == ["released", "released"]
    nothing = channel_status.rows(world.eas, "nightly", BOTH)
    assert {row.state for row in nothing} == {"nothing"}


def test_the_status_of_a_channel_that_cannot_be_asked(world: World) -> None:
    assert [row.why for row in channel_status.rows(None, "production", BOTH)] == ["EXPO_TOKEN is not set"] * 2
    world.expo.emulator.control.tokens("expired")
    unknown = channel_status.rows(world.eas, "production", BOTH)
    assert [(row.state, "does not accept the token" in row.why) for row in unknown] == [("unknown", True)] * 2
