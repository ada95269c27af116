"""Builds at EAS, by the program that jobs call: how they are started, wait, end and are read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal import android_bundle
from rehearsal.emulators.app_store import ipa
from rehearsal.emulators.eas.app import Eas
from rehearsal.emulators.eas.builds import MISMATCH
from rehearsal.emulators.eas.state import Pace
from tests.rehearsal.emulators.eas_client import APP, EAS_JSON, PROJECT, Clock, Program, emulator
from tests.rehearsal.emulators.in_process import InProcess, served

TOKEN = "robot-token"
PACE = Pace()


class World:
    """The emulator, its clock, and the program in an app's folder."""

    def __init__(self, root: Path, base: str, eas: Eas, clock: Clock) -> None:
        self.eas, self.clock = eas, clock
        self.program = Program(folder=root, base=base, token=TOKEN, environ={"REHEARSAL_PYTHON": sys.executable})
        self.http = InProcess(eas.app)

    def view(self, build: str) -> dict[str, Any]:
        found: dict[str, Any] = self.program.run("build:view", build, "--json").json
        return found

    def finish(self, seconds: float = PACE.queue + PACE.build) -> None:
        self.clock.forward(seconds)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = Clock()
    eas = emulator(tmp_path / "eas", TOKEN, clock)
    with served(eas.app) as base:
        yield World(tmp_path, base, eas, clock)


def test_a_build_goes_through_the_queue_to_a_file_that_says_what_was_uploaded(world: World, tmp_path: Path) -> None:
    android, ios = world.program.build()
    assert [android["status"], android["platform"], ios["platform"]] == ["IN_QUEUE", "ANDROID", "IOS"]
    assert (android["queuePosition"], android["estimatedWaitTimeLeftSeconds"]) == (3, PACE.queue)
    assert "artifacts" not in android, "what is null is not printed"
    world.clock.forward(PACE.queue - 1)
    assert world.view(android["id"])["queuePosition"] == 1
    world.clock.forward(1)
    assert world.view(android["id"])["status"] == "IN_PROGRESS"
    world.clock.forward(PACE.build)
    built = [world.view(one["id"]) for one in (android, ios)]
    assert [one["status"] for one in built] == ["FINISHED", "FINISHED"]
    assert [one["appBuildVersion"] for one in built] == ["7", "9"]
    assert built[0]["updateChannel"]["name"] == "production"
    assert built[0]["metrics"] == {"buildWaitTime": 0, "buildQueueTime": 120_000, "buildDuration": 600_000}
    bundle, archive = (download(world, one, tmp_path) for one in built)
    assert android_bundle.read(bundle) == android_bundle.BundleManifest(
        package="ai.techmate.app", version_code=7, version_name="1.2.0", signer=world.eas.account.key.fingerprint
    )
    assert (ipa.read(archive).number, ipa.read(archive).encryption) == ("9", False)


def download(world: World, build: dict[str, Any], folder: Path) -> Path:
    path = build["artifacts"]["applicationArchiveUrl"].removeprefix("https://expo.dev")
    sent_on = world.http.get(path).headers["location"]
    file = folder / f"{build['platform']}.file"
    file.write_bytes(world.http.get(sent_on.removeprefix("https://artifacts.eascdn.net")).content)
    return file


def test_two_builds_of_one_commit_with_other_numbers_share_a_runtime_version(world: World) -> None:
    [one] = world.program.build("android")
    world.program.edit(android={**APP["expo"]["android"], "versionCode": 8}, version="1.2.1")
    [other] = world.program.build("android")
    assert one["appBuildVersion"] != other["appBuildVersion"]
    assert one["runtime"] == other["runtime"]
    compared = world.program.run("fingerprint:compare", "--build-id", one["id"], "--json").json
    first, second = compared["fingerprint1"], compared["fingerprint2"]
    assert first["hash"] == second["hash"] == one["fingerprint"]["hash"]


def test_the_platforms_have_runtime_versions_of_their_own(world: World) -> None:
    android, ios = world.program.build()
    assert android["runtime"]["version"] != ios["runtime"]["version"]


def test_builds_are_found_by_what_they_are(world: World) -> None:
    android, ios = world.program.build()
    runtime = android["runtime"]["version"]
    found = world.program.run("build:list", "--json", "-p", "android", "--runtime-version", runtime).json
    assert [one["id"] for one in found] == [android["id"]]
    assert {one["id"] for one in world.program.run("build:list", "--json", "--app-version", "1.2.0").json} == {
        android["id"],
        ios["id"],
    }
    assert world.program.run("build:list", "--json", "--status", "finished").json == []
    world.finish()
    assert len(world.program.run("build:list", "--json", "--status", "finished", "--limit", "1").json) == 1


def test_more_builds_than_the_account_may_have_at_once_are_new(world: World) -> None:
    world.eas.control.concurrency(1)
    first, second = world.program.build()
    assert [first["status"], second["status"]] == ["IN_QUEUE", "NEW"]
    world.finish()
    assert [world.view(one["id"])["status"] for one in (first, second)] == ["FINISHED", "IN_QUEUE"]
    world.finish()
    [third] = world.program.build("ios")
    assert third["status"] == "IN_QUEUE"
    world.eas.control.concurrency(3)
    assert [world.view(one["id"])["status"] for one in (first, second, third)] == ["FINISHED", "FINISHED", "IN_QUEUE"]


def test_a_build_that_is_canceled_before_its_turn_frees_its_place(world: World) -> None:
    world.eas.control.concurrency(1)
    first, second = world.program.build()
    world.eas.control.cancel(first["id"])
    assert [world.view(one["id"])["status"] for one in (first, second)] == ["CANCELED", "IN_QUEUE"]
    [third] = world.program.build("ios")
    world.eas.control.cancel(third["id"])
    world.finish()
    assert [world.view(one["id"])["status"] for one in (second, third)] == ["FINISHED", "CANCELED"]


def test_a_full_queue_keeps_builds_waiting(world: World) -> None:
    [build] = world.program.build("ios")
    world.eas.control.queue(40, 7200)
    assert world.view(build["id"])["queuePosition"] == 40
    world.finish()
    assert world.view(build["id"])["status"] == "IN_QUEUE"


def test_a_failed_build_says_why_and_its_log_has_the_part_that_matters(world: World) -> None:
    reason = 'Gradle build failed with unknown error. See logs for the "Run gradlew" phase for more information.'
    world.eas.control.next_build(
        platform="android",
        code="EAS_BUILD_UNKNOWN_GRADLE_ERROR",
        message=reason,
        docs="https://docs.expo.dev/build-reference/troubleshooting/",
        log=["> Task :app:bundleRelease FAILED", "Could not resolve com.example:missing:1.0"],
    )
    android, ios = world.program.build()
    world.finish()
    failed = world.view(android["id"])
    assert (failed["status"], world.view(ios["id"])["status"]) == ("ERRORED", "FINISHED")
    assert failed["error"] == {
        "errorCode": "EAS_BUILD_UNKNOWN_GRADLE_ERROR",
        "message": reason,
        "docsUrl": "https://docs.expo.dev/build-reference/troubleshooting/",
    }
    assert "artifacts" not in failed
    [address] = failed["logFiles"]
    lines = [
        json.loads(one)
        for one in world.http.get(address.removeprefix("https://artifacts.eascdn.net")).text.splitlines()
    ]
    assert [one["msg"] for one in lines if one["phase"] == "RUN_GRADLEW"] == [
        "> Task :app:bundleRelease FAILED",
        "Could not resolve com.example:missing:1.0",
        f"Error: {reason}",
    ]


def test_waiting_ends_with_1_after_the_json_of_a_failed_build(world: World) -> None:
    world.eas.account.pace = Pace(queue=0, build=0)
    world.eas.control.next_build(code="UNKNOWN_ERROR", message="no")
    done = world.program.run("build", "-p", "android", "-e", "production", "--json")
    assert done.code == 1
    assert [one["status"] for one in json.loads(done.out)] == ["ERRORED"]


def test_waiting_for_a_build_that_is_canceled_ends_with_0(world: World) -> None:
    """Only ERRORED counts in build/runBuildAndSubmit.js, so a client has to look at each status."""
    account, now = world.eas.account, world.clock()

    def someone_cancels() -> float:
        for build in account.builds.values():
            build.canceled = now
        return now

    account.clock = someone_cancels
    done = world.program.run("build", "-p", "android", "-e", "production", "--json")
    assert done.code == 0
    assert [one["status"] for one in json.loads(done.out)] == ["CANCELED"]


def test_a_build_that_has_ended_is_not_canceled(world: World) -> None:
    [build] = world.program.build("android")
    world.finish()
    assert world.program.run("build:cancel", build["id"]).err == "  Build is already completed\n"
    [other] = world.program.build("android")
    assert world.program.run("build:cancel", other["id"]).err == "✔ Build canceled\n"
    assert [world.view(one["id"])["status"] for one in (build, other)] == ["FINISHED", "CANCELED"]


def test_a_build_that_is_at_work_takes_a_moment_to_be_canceled(world: World) -> None:
    [build] = world.program.build("ios")
    world.clock.forward(PACE.queue + 1)
    assert world.program.run("build:cancel", build["id"]).code == 0
    assert world.view(build["id"])["status"] == "PENDING_CANCEL"
    world.clock.forward(PACE.cancel)
    assert world.view(build["id"])["status"] == "CANCELED"


def test_variables_that_exist_only_at_eas_stop_a_build(world: World) -> None:
    """expo/eas-cli#3602, expo/expo#46817, expo/eas-build#449."""
    world.eas.control.variables({"ANDROID_MAP_API_KEY": "secret"})
    [build] = world.program.build("android")
    world.finish()
    failed = world.view(build["id"])
    assert (failed["status"], failed["error"]["message"]) == ("ERRORED", MISMATCH)
    local = world.program.run("fingerprint:generate", "-p", "android", "--json").json["hash"]
    assert failed["runtime"]["version"] != local


def test_or_the_build_goes_on_with_a_runtime_version_of_its_own(world: World) -> None:
    """expo/eas-cli#2615: no update of this checkout would reach it."""
    world.eas.control.variables({"ANDROID_MAP_API_KEY": "secret"}, stop=False)
    [build] = world.program.build("android")
    world.finish()
    assert world.view(build["id"])["status"] == "FINISHED"
    [update] = world.program.publish("-p", "android")
    assert update["runtimeVersion"] != build["runtime"]["version"]


def test_numbers_of_eas_itself_are_refused(world: World) -> None:
    """expo/eas-cli#2733: autoIncrement fails for a version that is not three numbers; ours never use it."""
    world.program.write("eas.json", {**EAS_JSON, "build": {"production": {"autoIncrement": True}}})
    done = world.program.run("build", "-p", "ios", "--json", "--no-wait")
    assert (done.code, done.out) == (1, "")
    assert "appVersionSource must be local" in done.err
    assert world.eas.account.builds == {}


def test_a_version_that_apple_does_not_take_is_built_all_the_same(world: World, tmp_path: Path) -> None:
    world.program.edit(version="1.2.0-beta.1")
    [build] = world.program.build("ios")
    world.finish()
    archive = ipa.read(download(world, world.view(build["id"]), tmp_path))
    assert (archive.version, ipa.is_version(archive.version)) == ("1.2.0-beta.1", False)


@pytest.mark.parametrize("state", ["wrong", "expired"])
def test_a_token_that_is_not_valid_is_reported_on_stdout_also_with_json(world: World, state: str) -> None:
    if state == "wrong":
        world.program.token = "another"
    else:
        world.eas.control.tokens("expired")
    done = world.program.run("build:view", "x", "--json")
    assert (done.code, done.out, done.err) == (
        1,
        "The bearer token is invalid.\n",
        "    Error: GraphQL request failed.\n",
    )


def test_without_a_token_nothing_is_done(world: World) -> None:
    world.program.token = ""
    assert world.program.run("whoami").out == "Not logged in\n"
    done = world.program.run("build", "-p", "all", "--json")
    assert (done.code, done.out) == (1, "")
    assert "set the EXPO_TOKEN environment variable" in done.err


def test_it_says_who_it_is_and_which_project(world: World) -> None:
    assert world.program.run("whoami").out.startswith("release (robot) (authenticated using EXPO_TOKEN)\n")
    assert world.program.run("project:info").out == f"fullName  @techmate/techmate\nID        {PROJECT}\n"


def test_an_app_that_says_another_owner_slug_or_project_is_refused(world: World) -> None:
    for changed, message in (
        ({"owner": "other"}, 'does not match owner specified in the "owner" field (other)'),
        ({"slug": "other"}, 'does not match the "slug" field (other)'),
        ({"extra": {"eas": {"projectId": "none"}}}, "You don't have the required permissions"),
        ({"extra": {}}, "EAS project not configured."),
    ):
        world.program.edit(**changed)
        done = world.program.run("build", "-p", "all", "-e", "production", "--json", "--no-wait")
        assert (done.code, done.out) == (1, "")
        assert message in done.err


def test_a_configuration_that_would_have_to_be_evaluated_is_refused(world: World) -> None:
    ran = world.program.app / "ran"
    (world.program.app / "app.config.js").write_text(f"require('fs').writeFileSync('{ran}', '')")
    done = world.program.run("build", "-p", "all", "-e", "production", "--json", "--no-wait")
    assert done.code == 1
    assert "evaluates nothing of an app" in done.err
    assert not ran.exists()


def test_a_profile_that_is_not_there_is_named(world: World) -> None:
    done = world.program.run("build", "-p", "ios", "-e", "staging", "--json", "--no-wait")
    assert 'Missing build profile in eas.json: "staging". Available profiles: [base, production]' in done.err


def test_outside_a_world_it_says_so(world: World) -> None:
    world.program.environ["SHIPMATE_OVERLAY"] = ""
    assert "it runs in the world of a rehearsal alone" in world.program.run("whoami").out


def test_an_unknown_command_ends_with_2(world: World) -> None:
    done = world.program.run("submit", "-p", "ios")
    first, supported, _ = done.err.split("\n")
    assert (done.code, first) == (2, " ›   Error: command submit not found")
    assert supported.startswith("The rehearsal's eas supports: account:view, project:info, build, ")


def test_without_a_lock_file_nothing_is_built(world: World) -> None:
    (world.program.app / "package-lock.json").unlink()
    done = world.program.run("build", "-p", "all", "-e", "production", "--json", "--no-wait")
    assert (done.code, done.out) == (1, "")
    assert "No lockfile found in the project directory." in done.err
    world.program.environ["EAS_BUILD_SKIP_LOCKFILE_CHECK"] = "1"
    assert len(world.program.build()) == 2


def test_a_version_of_eas_that_the_app_does_not_take_is_refused(world: World) -> None:
    for constraint, message in (
        (">= 24.8.0", ""),
        ("24.8.0", ""),
        (">=25.0.0", "does not satisfy the CLI version constraint defined in eas.json (>=25.0.0)"),
        ("24.7.0", "does not satisfy the CLI version constraint"),
        ("^24.0.0", 'the rehearsal reads cli.version as "1.2.3" or ">= 1.2.3"'),
    ):
        world.program.write("eas.json", {**EAS_JSON, "cli": {**EAS_JSON["cli"], "version": constraint}})
        done = world.program.run("project:info")
        assert (done.code, message in done.out) == (1 if message else 0, True)


def test_numbers_written_into_a_checkout_are_uploaded_unless_commits_are_required(world: World) -> None:
    world.program.environ["EAS_NO_VCS"] = ""
    for words in (
        ("init", "-q"), ("add", "-A"), ("-c", "user.name=dev-1", "-c", "user.email=dev-1@example.com", "commit", "-qm", "App"),
    ):  # fmt: skip
        subprocess.run(["git", *words], cwd=world.program.app, check=True)
    world.program.edit(android={**APP["expo"]["android"], "versionCode": 8})
    [build] = world.program.build("android")
    assert (build["appBuildVersion"], build["gitCommitMessage"], len(build["gitCommitHash"])) == ("8", "App", 40)
    world.program.write("eas.json", {**EAS_JSON, "cli": {**EAS_JSON["cli"], "requireCommit": True}})
    done = world.program.run("build", "-p", "android", "-e", "production", "--json", "--no-wait")
    assert (done.code, done.out) == (1, "")
    assert "Commit all changes. Aborting..." in done.err
    assert "app.json" in done.err


def test_files_of_builds_expire(world: World) -> None:
    [build] = world.program.build("ios")
    world.finish()
    path = world.view(build["id"])["artifacts"]["buildUrl"].removeprefix("https://expo.dev")
    assert world.http.get(path).status_code == 302
    world.clock.forward(PACE.expires)
    assert world.http.get(path).status_code == 404


def test_what_was_built_is_the_same_after_saving_and_loading(world: World, tmp_path: Path) -> None:
    [build] = world.program.build("android")
    world.program.publish()
    saved = json.loads(json.dumps(world.eas.save()))
    other = emulator(tmp_path / "other", TOKEN, world.clock)
    other.load(saved)
    world.finish()
    before, after = (download(one, world.view(build["id"]), tmp_path).read_bytes() for one in (world, Reloaded(other)))
    assert before == after
    assert other.account.key.fingerprint == world.eas.account.key.fingerprint
    assert json.loads(json.dumps(other.save())) == saved
    assert TOKEN not in json.dumps(saved)


class Reloaded(World):
    """Only what a download asks."""

    def __init__(self, eas: Eas) -> None:
        self.http = InProcess(eas.app)
