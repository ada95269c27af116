"""The client of `eas` against the rehearsed program and the emulated EAS, and the program's own bounds."""

from __future__ import annotations

import hashlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.errors import CredentialsError, LocalError, ProviderUnavailable, RefusedError
from pipelines.faults import MayHaveHappened
from pipelines.providers import eas_program
from pipelines.providers.eas import Eas, EasRefused, excerpt
from rehearsal.emulators.eas.state import DAY, Build, Pace, Plan
from rehearsal.faults import Fault
from rehearsal.runner.actions import PROGRAMS
from tests.pipelines.mobile.expo import TOKEN, Expo, expo

pytestmark = pytest.mark.world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Expo]:
    with expo(tmp_path) as made:
        yield made


def test_builds_are_found_by_what_they_are_of(world: Expo) -> None:
    eas = world.eas()
    android, ios = eas.start(["android", "ios"], "production")
    like = {"commit": world.commit, "profile": "production", "version": "1.2.0"}
    assert eas.builds(platform="android", number=7, **like) == [android]
    assert eas.builds(platform="ios", number=7, **like) == []
    assert eas.builds(platform="ios", number=9, **like | {"commit": "0" * 40}) == []
    assert android.url == f"https://expo.dev/accounts/techmate/projects/techmate/builds/{android.id}"
    assert (android.status, android.queue, android.wait, android.channel) == ("IN_QUEUE", 3, 120.0, "production")
    assert android.runtime == eas.fingerprint("android", "production") == android.fingerprint
    eas.cancel(ios.id)
    assert eas.view(ios.id).failed and eas.view(ios.id).over


def test_every_number_is_found_over_all_pages(world: Expo) -> None:
    [first] = world.eas().start(["ios"], "production")
    kept: Build = world.account.builds[first.id]
    for number in range(120):
        other = Build(**{**vars(kept), "id": f"build-{number}", "number": f"{number}.3"})
        world.account.builds[other.id] = other
    world.account.concurrency = 1000
    assert world.eas().numbers("ios") == {*range(120)}
    assert world.eas().numbers("android") == set()


def test_whose_token_it_is(world: Expo) -> None:
    who = world.eas().whoami()
    assert (who.name, who.robot, who.roles) == ("release", True, {"techmate": "Developer"})
    with pytest.raises(CredentialsError, match="does not accept the token"):
        world.eas("another").whoami()
    world.emulator.control.tokens("expired")
    with pytest.raises(CredentialsError, match="wrong, expired or revoked"):
        world.eas().builds(platform="ios")
    with pytest.raises(CredentialsError, match="there is no token"):
        world.eas("").whoami()


def test_what_eas_says_is_reported_and_never_the_token(world: Expo) -> None:
    with pytest.raises(EasRefused, match="Missing build profile"):
        world.eas().start(["android"], "nightly")
    with pytest.raises(CredentialsError, match="Entity not authorized"):
        world.eas().view("00000000-0000-0000-0000-000000000000")
    world.program.write("eas.json", {"build": {TOKEN: {}}, "cli": {"appVersionSource": "local"}})
    with pytest.raises(EasRefused) as refused:
        world.eas().start(["android"], "nightly")
    assert TOKEN not in str(refused.value) and "***" in str(refused.value)


def test_a_question_is_asked_again_and_an_order_is_not(world: Expo) -> None:
    eas = world.eas()
    [build] = eas.start(["android"], "production")
    world.faults.add(Fault(kind="cut", path="/rehearsal/build$", times=2))
    assert eas.view(build.id) == build
    world.faults.add(Fault(kind="cut", path="/rehearsal/start-build", times=1))
    with pytest.raises(MayHaveHappened, match="no clear answer"):
        eas.start(["android"], "production")
    world.faults.add(Fault(kind="cut", path="/rehearsal/build$", times=None))
    with pytest.raises(ProviderUnavailable, match="still failing after 3 tries"):
        eas.view(build.id)


def test_a_file_is_downloaded_whole_although_it_breaks_off(world: Expo, tmp_path: Path) -> None:
    eas, file = world.eas(), tmp_path / "app.aab"
    [build] = eas.start(["android"], "production")
    with pytest.raises(RefusedError, match="has no file"):
        eas.download(build, file, world.http)
    world.time.forward(Pace().queue + Pace().build)
    build = eas.view(build.id)
    world.faults.add(Fault(kind="cut", path="/stored/", times=1))
    assert eas.download(build, file, world.http) == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [each.name for each in tmp_path.glob("app*.*")] == ["app.aab"]
    world.time.forward(31 * DAY)
    with pytest.raises(RefusedError, match="does not have the file"):
        eas.download(build, file, world.http)


def test_of_a_log_the_failing_phase_matters(world: Expo) -> None:
    plan = Plan(code="GRADLE", message="Gradle failed", log=["> Task", "e: unresolved reference"])
    world.emulator.control.next_build(**vars(plan))
    [build] = world.eas().start(["android"], "production")
    world.time.forward(Pace().queue + Pace().build)
    build = world.eas().view(build.id)
    found = "> Task\ne: unresolved reference\nError: Gradle failed"
    assert (build.status, build.problem) == ("ERRORED", "Gradle failed")
    assert world.eas().log_excerpt(build, world.http) == found
    world.faults.add(Fault(kind="status", status=500, path="/logs/", times=None))
    assert world.eas().log_excerpt(build, world.http) == ""
    assert excerpt("\n".join(["one", "two"] * 40)).count("\n") == 29
    assert excerpt("") == ""


def test_the_program_is_given_no_other_secret(world: Expo) -> None:
    """As a job runs it: the rehearsed program as a process of its own."""
    environ = {**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "REHEARSAL_PYTHON": sys.executable}
    environ |= {"SHIPMATE_OVERLAY": str(world.program.folder / "overlay.json"), "APP_STORE_KEY": "k", "EAS_NO_VCS": "1"}
    given = eas_program.environment("t", environ)
    assert not {"APP_STORE_KEY", "EAS_NO_VCS", "GITHUB_TOKEN"} & set(given) and given["EXPO_TOKEN"] == "t"
    [build] = Eas(folder=world.program.app, token=TOKEN, environ=environ).start(["android"], "production")
    assert build.commit == world.commit


def _program(folder: Path, text: str) -> dict[str, str]:
    """An `eas` that does something else; the environment to call it in."""
    (folder / "eas").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "eas").chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_a_program_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    environ, message = _program(tmp_path, "echo begun >&2; sleep 600 & echo $! > child; wait"), list[str]()
    ended = eas_program.run(["build"], folder=tmp_path, environ=environ, seconds=1.0, say=message.append)
    assert (ended.code, message) == (-1, ["begun"])
    assert _gone(int((tmp_path / "child").read_text()))


def test_what_it_prints_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eas_program, "MOST_OUT", 10_000)
    environ = _program(tmp_path, "yes | head -c 20000")
    with pytest.raises(LocalError, match="printed more than"):
        eas_program.run(["build"], folder=tmp_path, environ=environ, seconds=60.0, say=lambda text: None)
    environ = _program(tmp_path, "yes | head -c 60000 >&2; echo '[]'")
    ended = eas_program.run(["build"], folder=tmp_path, environ=environ, seconds=60.0, say=lambda text: None)
    assert (ended.out, len(ended.err)) == ("[]\n", eas_program.MOST_SHOWN)


def test_it_ends_with_the_process_that_called_it(tmp_path: Path) -> None:
    environ = _program(tmp_path, "echo $$ >&2; exec sleep 600")
    words = f"run(['build'], folder='.', environ={environ!r}, seconds=600.0, say=lambda text: print(text, flush=True))"
    code = f"from pipelines.providers.eas_program import run; {words}"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    ) as caller:
        assert caller.stdout is not None
        program = int(caller.stdout.readline())
        caller.send_signal(signal.SIGKILL)
        caller.wait()
        assert _gone(program)


def test_it_must_be_installed(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="eas cannot be started"):
        eas_program.run(["build"], folder=tmp_path, environ={"PATH": str(tmp_path)}, seconds=1.0, say=lambda text: None)


def _gone(pid: int) -> bool:
    """Whether a process ends, within half a minute."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 30.0)[0])
    finally:
        os.close(handle)
