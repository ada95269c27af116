"""Updates over the air, by the program that jobs call: published, rolled out, taken back, and counted."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from rehearsal.control import emulator_route
from rehearsal.emulators.eas import updates
from rehearsal.emulators.eas.app import Eas
from rehearsal.emulators.eas.state import DAY
from rehearsal.faults import Fault, Faults, Faulty
from tests.rehearsal.emulators.eas_client import PROJECT, Clock, Program, emulator
from tests.rehearsal.emulators.in_process import InProcess, served

TOKEN = "robot-token"


class World:
    """The emulator, its clock, and the program in an app's folder. Most tests publish for Android alone: that is one group."""

    def __init__(self, root: Path, base: str, eas: Eas, clock: Clock, faults: Faults) -> None:
        self.eas, self.clock, self.faults = eas, clock, faults
        self.program = Program(folder=root, base=base, token=TOKEN, environ={"REHEARSAL_PYTHON": sys.executable})
        self.http = InProcess(eas.app)

    def publish(self, message: str = "Fix", *more: str) -> dict[str, Any]:
        """Another script, published; the update."""
        self.clock.forward(60)
        (self.program.app / "index.ts").write_text(f"export const message = '{message}';\n")
        [update] = self.program.publish("-p", "android", *more, message=message)
        return update

    def run(self, *words: str) -> Any:
        return self.program.run(*words, "--json").json

    def refused(self, *words: str) -> str:
        done = self.program.run(*words, "--json")
        assert (done.code, done.out) == (1, "")
        return done.err

    def served(self, runtime: str, device: str = "one", platform: str = "android") -> str | None:
        """Id of the update a device is given; "embedded", or None for nothing new."""
        headers = {
            "expo-platform": platform,
            "expo-runtime-version": runtime,
            "expo-channel-name": "production",
            "eas-client-id": device,
        }
        answer = self.http.get(f"/{PROJECT}", headers=headers)
        if answer.status_code == 204:
            return None
        part = json.loads(answer.text.split("\r\n\r\n")[1].split("\r\n--")[0])
        return "embedded" if part.get("type") == "rollBackToEmbedded" else part["id"]

    def share(self, update: dict[str, Any]) -> int:
        """How many of 200 devices get it."""
        account, runtime = self.eas.account, update["runtimeVersion"]
        line = updates.channel(account, PROJECT, "production")
        given = [updates.served(account, line, "android", runtime, f"device-{number}") for number in range(200)]
        return sum(one is not None and one.id == update["id"] for one in given)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = Clock()
    eas = emulator(tmp_path / "eas", TOKEN, clock)
    faults = Faults()
    with served(Faulty(eas.app, "eas", faults)) as base:
        yield World(tmp_path, base, eas, clock, faults)


def test_an_update_has_the_shape_of_the_real_one_and_is_served(world: World) -> None:
    update = world.publish("Fix")
    assert set(update) == {
        "id", "createdAt", "group", "branch", "message", "runtimeVersion", "platform", "manifestPermalink", "isRollBackToEmbedded",
    }  # fmt: skip
    assert (update["branch"], update["message"], update["isRollBackToEmbedded"]) == ("production", "Fix", False)
    assert world.served(update["runtimeVersion"]) == update["id"]
    assert world.served("another") is None
    assert (world.program.app / "dist/metadata.json").is_file()
    assert len(list((world.program.app / "dist/_expo/static/js/android").glob("*.hbc.map"))) == 1


def test_with_fingerprints_each_platform_has_a_group_of_its_own(world: World) -> None:
    android, ios = world.program.publish()
    assert android["group"] != ios["group"]
    world.program.edit(runtimeVersion="1")
    android, ios = world.program.publish()
    assert android["group"] == ios["group"]


def test_a_change_of_scripts_keeps_the_runtime_version_and_one_of_packages_does_not(world: World) -> None:
    before = world.publish("one")
    assert world.publish("two")["runtimeVersion"] == before["runtimeVersion"]
    world.program.write("package-lock.json", {"packages": {"node_modules/expo-camera": {"version": "1.0.0"}}})
    assert world.publish("three")["runtimeVersion"] != before["runtimeVersion"]


def test_what_was_exported_before_is_published_as_it_is(world: World) -> None:
    message = world.refused("update", "--channel", "production", "-m", "Fix", "--skip-bundler")
    assert '--input-dir="dist" not found. --skip-bundler requires' in message
    world.publish()
    (world.program.app / "index.ts").write_text("changed")
    again = world.run("update", "--channel", "production", "-m", "Fix", "--skip-bundler", "-p", "android")
    assert len({update.manifest for update in world.eas.account.updates.values()}) == 1
    assert len(again) == 1


def test_a_roll_out_reaches_its_share_and_only_rises(world: World) -> None:
    first = world.publish("one")
    second = world.publish("two", "--rollout-percentage", "10")
    assert 5 <= world.share(second) <= 35
    assert world.share(second) + world.share(first) == 200
    message = world.refused("update:edit", second["group"], "--rollout-percentage", "5")
    assert "must be greater than previous rollout percentage (10)" in message
    assert world.run("update:edit", second["group"], "--rollout-percentage", "50")[0]["id"] == second["id"]
    assert 75 <= world.share(second) <= 125
    world.run("update:edit", second["group"], "--rollout-percentage", "100")
    assert world.share(second) == 200


def test_while_a_roll_out_is_under_way_nothing_else_is_published_there(world: World) -> None:
    """expo/eas-cli#4233: not an update, not a republished one, not a roll-back of either kind; and no flag forces it."""
    first = world.publish("one")
    second = world.publish("two", "--rollout-percentage", "10")
    commands = (
        ("update", "--channel", "production", "-m", "three", "-p", "android"),
        ("update:republish", "--group", first["group"], "-m", "one again"),
        ("update:rollback", second["group"]),
        ("update:roll-back-to-embedded", "--channel", "production", "--message", "back", "--runtime-version", first["runtimeVersion"]),
    )  # fmt: skip
    for words in commands:
        assert "is in progress. Complete or revert it first." in world.refused(*words)
    assert "Nonexistent flag" in world.program.run(*commands[0], "--force-end-active-rollout", "--json").out
    [ios] = world.program.publish("-p", "ios")
    assert ios["platform"] == "ios", "another runtime version is free"
    world.run("update:edit", second["group"], "--rollout-percentage", "100")
    assert world.publish("three")["message"] == "three"


def test_a_roll_out_is_taken_back_to_what_the_others_have(world: World) -> None:
    first = world.publish("one")
    second = world.publish("two", "--rollout-percentage", "10")
    [again] = world.run("update:revert-update-rollout", "--group", second["group"], "-m", "Back")
    assert again["branch"]["name"] == "production", "the raw update: not the shape of the other commands"
    assert again["runtime"]["version"] == first["runtimeVersion"]
    assert world.served(first["runtimeVersion"]) == again["id"]
    assert second["id"] not in world.eas.account.updates
    assert "Could not find any updates" in world.refused("update:view", second["group"])


def test_taking_back_is_two_steps_and_may_end_after_the_first(world: World) -> None:
    """The group is gone and nothing was published again: the next command has to know the group from before."""
    first = world.publish("one")
    second = world.publish("two", "--rollout-percentage", "10")
    revert = ("update:revert-update-rollout", "--group", second["group"], "-m", "Back")
    world.faults.add(Fault(kind="cut", emulator="eas", path="/rehearsal/publish$"))
    assert "request to https://api.expo.dev/graphql failed" in world.refused(*revert)
    assert world.served(first["runtimeVersion"]) == first["id"]
    assert "Could not find any updates" in world.refused(*revert)
    [again] = world.run("update:republish", "--group", first["group"], "-m", "Back")
    assert world.served(first["runtimeVersion"]) == again["id"]


def test_the_first_update_can_be_rolled_out_and_goes_back_to_what_is_embedded(world: World) -> None:
    """Refused before (expo/eas-cli#2947). Without a control the way back is a roll-back to the build's own, no exact revert."""
    first = world.publish("one", "--rollout-percentage", "10")
    assert 5 <= world.share(first) <= 35
    [back] = world.run("update:revert-update-rollout", "--group", first["group"], "-m", "Back")
    assert (back["isRollBackToEmbedded"], back["branch"]) == (True, "production")
    assert world.served(first["runtimeVersion"]) == "embedded"


def test_only_a_roll_out_is_reverted_or_edited(world: World) -> None:
    first = world.publish("one")
    assert "is not a rollout update group." in world.refused(
        "update:revert-update-rollout", "--group", first["group"], "-m", "x"
    )
    assert "that is not a rollout." in world.refused("update:edit", first["group"], "--rollout-percentage", "50")


def test_rolling_back_republishes_the_one_before(world: World) -> None:
    first, second = world.publish("one"), world.publish("two")
    done = world.program.run("update:rollback", first["group"], "--json")
    assert (done.code, done.err) == (1, "    Error: update:rollback command failed.\n")
    message = f'(the latest is "{second["group"]}"). Only the latest update can be rolled back.'
    assert message in done.out, "the real program turns JSON on in what it calls next"
    [back] = world.run("update:rollback", second["group"])
    assert back["message"] == f'Roll back to "one" (group: {first["group"]})'
    manifests = {update.id: update.manifest for update in world.eas.account.updates.values()}
    assert manifests[back["id"]] == manifests[first["id"]] != manifests[second["id"]]


def test_rolling_back_twice_publishes_the_bad_one_again(world: World) -> None:
    """What was published before the roll-back is what was rolled back, so a client must name the group it means."""
    world.publish("good")
    bad = world.publish("bad")
    [good] = world.run("update:rollback", bad["group"])
    [again] = world.run("update:rollback", good["group"])
    manifests = {update.id: update.manifest for update in world.eas.account.updates.values()}
    assert manifests[again["id"]] == manifests[bad["id"]]


def test_rolling_back_the_only_one_goes_to_what_is_embedded(world: World) -> None:
    only = world.publish()
    back = world.run("update:rollback", only["group"])
    assert [one["platform"] for one in back] == ["android", "ios"], "both, though only one was published"
    assert {(one["isRollBackToEmbedded"], one["message"]) for one in back} == {(True, "Roll back to embedded")}
    assert world.served(only["runtimeVersion"]) == "embedded"


def test_republishing_at_0_percent_is_for_everybody(world: World) -> None:
    """The real program takes 0 for none there (update/republish.js), though not in `eas update`."""
    first = world.publish("one")
    [again] = world.run("update:republish", "--group", first["group"], "-m", "x", "--rollout-percentage", "0")
    assert "rolloutPercentage" not in again
    nobody = world.publish("two", "--rollout-percentage", "0")
    assert world.share(nobody) == 0


def test_republishing_for_a_platform_that_has_none_names_the_group(world: World) -> None:
    first = world.publish("one")
    message = world.refused("update:republish", "--group", first["group"], "-m", "x", "-p", "ios")
    assert f'published for the platform(s) "ios" with group ID "{first["group"]}". Did you mean' in message


def test_from_sdk_55_an_environment_is_asked_for_outside_ci(world: World) -> None:
    """update/utils.js: GitHub sets CI, a person's machine does not."""
    world.program.environ["CI"] = ""
    words = ("update", "--channel", "production", "-m", "Fix", "-p", "android")
    assert "The `--environment` flag must be set" in world.refused(*words)
    world.run(*words, "--environment", "production")
    world.program.environ["EAS_UPDATE_SKIP_ENVIRONMENT_CHECK"] = "1"
    world.run(*words)
    del world.program.environ["EAS_UPDATE_SKIP_ENVIRONMENT_CHECK"]
    world.program.write("package-lock.json", {"packages": {"node_modules/expo": {"version": "54.0.9"}}})
    world.run(*words)


def test_the_way_to_what_is_embedded_needs_expo_updates(world: World) -> None:
    """The real program looks for it in node_modules: a job that goes back has to have the packages."""
    only = world.publish("one", "--rollout-percentage", "10")
    world.program.write("package-lock.json", {"packages": {"node_modules/expo-updates": {"version": "0.18.19"}}})
    message = "must have a version >= 0.19.0 to use roll back to embedded"
    assert message in world.refused("update:revert-update-rollout", "--group", only["group"], "-m", "Back")
    assert only["id"] in world.eas.account.updates, "nothing is deleted before"
    world.program.write("package.json", {"dependencies": {"expo": "57.0.26"}})
    runtime = ("--runtime-version", only["runtimeVersion"])
    assert "add expo-updates to dependencies" in world.refused(
        "update:roll-back-to-embedded", "--channel", "production", "--message", "back", *runtime
    )


def test_republishing_needs_a_group_and_a_message(world: World) -> None:
    first = world.publish("one")
    done = world.program.run("update:republish", "--channel", "production", "-m", "x")
    assert (done.code, done.out) == (1, "Only --group can be used in non-interactive mode\n")
    assert "Must supply --message" in world.refused("update:republish", "--group", first["group"])


def test_lists_are_for_people(world: World) -> None:
    """`message` there has its age and author as well; the percentage is in no other command's list."""
    world.publish("one")
    world.publish("two", "--rollout-percentage", "10")
    listed = world.run("update:list", "--branch", "production")
    assert listed["name"] == "production"
    newest, oldest = listed["currentPage"]
    assert newest["message"].startswith('"two" (')
    assert newest["message"].endswith(" by release (robot))")
    assert (newest["rolloutPercentage"], newest["platforms"]) == (10, "android")
    assert "rolloutPercentage" not in oldest
    assert [one["branch"] for one in world.run("update:list", "--all")["currentPage"]] == ["production"] * 2
    assert 'Could not find a branch named "x".' in world.refused("update:list", "--branch", "x")


def test_channels_show_the_latest_group_of_their_branch(world: World) -> None:
    assert "Could not find channel with the name production" in world.refused("channel:view", "production")
    world.publish("one")
    latest = world.publish("two")
    channel = world.run("channel:view", "production")["currentPage"]
    [branch] = channel["updateBranches"]
    assert (channel["name"], branch["name"]) == ("production", "production")
    assert [[one["id"] for one in group] for group in branch["updateGroups"]] == [[latest["id"]]]
    assert [one["name"] for one in world.run("channel:list")["currentPage"]] == ["production"]


def test_a_group_is_seen_by_its_id_or_by_that_of_an_update(world: World) -> None:
    update = world.publish("one")
    assert world.run("update:view", update["group"]) == world.run("update:view", update["id"]) == [update]


def test_insights_count_installs_and_failures_by_day(world: World) -> None:
    world.clock.now = time.time()  # the program asks for days before its own time
    update = world.publish("one")
    world.eas.control.observe(update["group"], installs=80, failed=20, users=70, days_ago=0.01)
    world.eas.control.observe(update["group"], installs=5, days_ago=30)
    found = world.run("update:insights", update["group"], "--days", "2")
    [android] = found["platforms"]
    assert (found["groupId"], found["timespan"]["daysBack"]) == (update["group"], 2)
    assert android["totals"] == {"uniqueUsers": 70, "installs": 80, "failedInstalls": 20, "crashRatePercent": 20.0}
    assert sum(day["failedInstalls"] for day in android["daily"]) == 20
    assert len(android["daily"]) == 3
    message = world.refused("update:insights", update["group"], "--platform", "ios")
    assert "has no ios update (available platforms: android)" in message
    both = world.run("update:view", update["group"], "--insights")
    assert both["insights"]["platforms"][0]["updateId"] == both["updates"][0]["id"]


def test_nothing_observed_is_no_crash(world: World) -> None:
    update = world.publish("one")
    assert world.run("update:insights", update["group"])["platforms"][0]["totals"]["crashRatePercent"] == 0


def test_controls_are_reached_at_the_worlds_own_port(world: World) -> None:
    control = InProcess(Starlette(routes=[emulator_route("eas", world.eas.control)]))
    assert control.post("/_control/eas/skip", json={"seconds": DAY}).status_code == 204
    assert world.eas.account.now() == world.clock() + DAY
    assert control.post("/_control/eas/tokens", json={"state": "lost"}).status_code == 422
    assert control.post("/_control/eas/nothing", json={}).status_code == 404
    assert InProcess(world.eas.app).post("/_control/eas/skip", json={"seconds": DAY}).status_code == 404
