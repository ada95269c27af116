"""Secrets of a release of the apps: each job has its own, code of the app sees Expo's alone, and nothing that is written holds any."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from pipelines.mobile import testflight
from pipelines.providers.eas_program import KEPT, environment
from rehearsal.eas import __main__ as program
from rehearsal.emulators.app_store.model import Plan
from rehearsal.faults import Fault
from tests.pipelines.mobile.release_world import open_release
from tests.pipelines.mobile.releasing import Release
from tests.rehearsal.emulators.app_store_client import PEM

pytestmark = pytest.mark.world

EXPO = "expo+planted/token=of-the-robot-Zk9x"
GOOGLE = "ya29.planted-access-token/of+play=Qw3r"
JWT = re.compile(r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}")
FIXED = {"EXPO_TOKEN", "CI", "NO_COLOR", "EXPO_NO_TELEMETRY", "DO_NOT_TRACK"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Release]:
    monkeypatch.setattr(testflight, "EVERY", 300.0)
    with open_release(tmp_path) as made:
        made.expo.account.tokens = {EXPO: "valid"}
        made.google = GOOGLE
        for secrets in made.secrets.values():
            secrets["EXPO_TOKEN"] = EXPO
        yield made


def secrets_of(world: Release) -> list[str]:
    """All that were about: those of the environments, the tokens of the jobs, and each line of the key."""
    given = {environ["IN_TOKEN"] for calls in world.given.values() for environ in calls if "IN_TOKEN" in environ}
    lines = [line for line in PEM.splitlines() if not line.startswith("-----")]
    hook = world.secrets["mobile-stores"]["SLACK_WEBHOOK"]
    return [EXPO, GOOGLE, hook.rpartition("/services/")[2], *lines, *sorted(given)]


def forms(secret: str) -> Iterator[str]:
    """As it is, percent-encoded, and in base64 wherever in a longer text it begins."""
    yield secret
    yield quote(secret)
    yield quote(secret, safe="")
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + secret.encode()).decode()
        yield encoded[(0, 2, 3)[shift] + 2 : -4]
        yield encoded[(0, 2, 3)[shift] + 2 : -4].replace("+", "-").replace("/", "_")


@pytest.mark.parametrize("before", ["", "x", "xy", "user:"])
def test_the_search_finds_a_secret_in_every_form(before: str) -> None:
    text = f"{before}{EXPO} and more"
    for found in (
        text,
        quote(text),
        base64.b64encode(text.encode()).decode(),
        base64.urlsafe_b64encode(text.encode()).decode(),
    ):
        assert any(form in found for form in forms(EXPO)), found


def written(world: Release) -> Iterator[tuple[str, str]]:
    """(where, text) of everything that a release leaves behind."""
    for number, log in enumerate(world.logs):
        yield f"log {number}", "\n".join(line for line in log.splitlines() if not line.startswith("::add-mask::"))
    for number, summary in enumerate(world.summaries):
        yield f"summary {number}", summary
    for folder in ("jobs", *(path.name for path in world.folder.glob("run-*"))):
        for file in (world.folder / folder).rglob("*"):
            if file.is_file():
                yield str(file.relative_to(world.folder)), file.read_bytes().decode("latin-1")
    yield "ledger", str(world.records())
    yield "Slack", str(world.slack.messages)
    for release in world._seen("/releases"):
        yield "release", release["body"] + release["name"]
    for file in (world.shop.github.instance.data / "assets").rglob("*"):
        yield "asset", file.read_bytes().decode("latin-1")
    for build in world.expo.account.builds.values():
        yield "what EAS was given", base64.b64decode(build.artifact).decode("latin-1") + str(build)


def test_nothing_that_is_written_holds_a_secret(world: Release) -> None:
    """In whole releases and in those that fail: providers that refuse, and a program that prints its token."""
    world.apple.account.next_uploads.append(Plan(appear=2 * 3600.0))
    flow = world.go(world.release())
    assert flow.legs["deliver"] == {"android": "success", "ios": "failure"}
    world.apple.clock.forward(2 * 3600.0)
    world.go(flow)
    assert flow.results["release"] == flow.results["notify"] == "success"
    world.faults.add(Fault(kind="status", status=401, path="/(androidpublisher|v1)/", times=None))
    world.expo.account.tokens = {}
    failed = world.release("1.0.2")
    assert world.job(failed, "verify") == "failure"
    planted = secrets_of(world)
    assert len(planted) > 8 and min(map(len, planted)) > 12
    places = 0
    for where, text in written(world):
        places += 1
        assert not JWT.search(text), where
        for secret in planted:
            for form in forms(secret):
                assert form not in text, f"{form} in {where}"
    assert places > 40


def test_a_program_that_prints_its_token_is_masked(world: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    def account_view(session: object) -> int:
        sys.stdout.write(f"cannot use {EXPO}: bearer token is invalid\n")
        return 1

    monkeypatch.setitem(program.COMMANDS, "account:view", account_view)
    assert world.job(world.release(), "verify") == "failure"
    assert "cannot use ***: bearer token is invalid" in world.errors
    assert EXPO not in "".join(line for line in world.log.splitlines() if "add-mask" not in line) + world.summary


def test_each_program_sees_one_secret_and_the_apps_folder_is_seen_by_one_job(world: Release) -> None:
    flow = world.go(world.release())
    assert flow.results["release"] == "success"
    others = [secret for secret in secrets_of(world) if secret != EXPO]
    in_app = set()
    for command, folder, environ in world.programs:
        assert set(environ) <= {*KEPT, *FIXED}
        assert environ["EXPO_TOKEN"] == EXPO
        assert not [secret for secret in others if secret in str(environ)], command
        if folder.name == "project":
            assert folder == Path("build/mobile/project"), "made of the policy"
        else:
            assert folder == Path("source/apps/mobile")
            in_app.add(command)
    assert in_app == {"fingerprint:generate", "build", "build:list"}
    [builds] = world.given["start_builds"]
    assert {name for name in builds if name.startswith("IN_")} == {"IN_PLAN", "IN_EXPO_TOKEN"}
    assert not [secret for secret in others if secret in str(builds)]


def test_configuration_that_is_code_is_seen_by_no_program(world: Release) -> None:
    """eas would evaluate it, with Expo's token beside it, where it works in its folder."""
    seen = []
    run = world.expo.run

    def looking(words: object, *, folder: Path, **options: object) -> object:
        seen.append({file.name for file in folder.iterdir()})
        return run(words, folder=folder, **options)  # type: ignore[arg-type]

    world.expo.run = looking  # type: ignore[method-assign, assignment]
    flow = world.release(files={"apps/mobile/app.config.js": "throw new Error(process.env.EXPO_TOKEN);"})
    assert world.job(flow, "verify") == "failure"
    assert "app.config.js: is code" in world.errors
    assert seen and all(names == {"app.json", "package.json"} for names in seen)


def test_what_a_program_is_given_of_a_jobs_environment() -> None:
    names = (
        "GITHUB_TOKEN", "GH_TOKEN", "IN_TOKEN", "IN_EXPO_TOKEN", "IN_APP_STORE_KEY", "APP_STORE_KEY", "GOOGLE_OAUTH_ACCESS_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_RUNTIME_TOKEN", "SLACK_WEBHOOK", "NPM_TOKEN",
        "NODE_OPTIONS", "EXPO_TOKEN", "EAS_NO_VCS", "SENTRY_AUTH_TOKEN",
    )  # fmt: skip
    secrets = dict.fromkeys(names, "planted")
    found = environment("robot", {**secrets, "PATH": "/usr/bin", "HOME": ""})
    assert "planted" not in found.values()
    assert found == {
        "PATH": "/usr/bin", "EXPO_TOKEN": "robot", "CI": "1", "NO_COLOR": "1", "EXPO_NO_TELEMETRY": "1", "DO_NOT_TRACK": "1",
    }  # fmt: skip
