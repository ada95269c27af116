"""`shipmate mobile update` and `rollback` as a user types them, against the emulated EAS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipelines.commands import mobile_rollback, mobile_update
from pipelines.errors import CheckFailed, CredentialsError, InputError, RefusedError
from pipelines.mobile import update_health
from pipelines.mobile.watch import Health
from pipelines.providers import eas_program
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.serving import running
from tests.pipelines.mobile.expo import TOKEN, Expo, expo, git
from tests.rehearsal.emulators.eas_client import PROJECT

pytestmark = pytest.mark.world
MANIFEST = f"""
platform: {{name: Shop, repository: acme/shop}}
ci: {{checks: {{}}}}
components: {{mobile: {{paths: ["app/**"]}}}}
environments: {{}}
release:
  components:
    mobile: {{tag_format: "mobile-v{{version}}", paths: [app]}}
mobile:
  component: mobile
  app: app
  eas: {{account: techmate, slug: techmate, project: {PROJECT}}}
  android: {{package: ai.techmate.app, workload_identity: //iam/x, service_account: play@acme}}
  ios: {{bundle: ai.techmate.app, app: "1", issuer: {PROJECT}, key: K}}
"""
REPORTS = """
performance:
  app_starts: {organization: techmate, project: mobile}
  targets: {start: {of: mobile-start, component: mobile, p95_ms: 3000}}
"""


@dataclass
class Terminal:
    """In the repository, with a token for EAS and none for GitHub."""

    expo: Expo

    def run(self, command: Any, *arguments: str, fails: type[Exception] | None = None) -> Result:
        result = CliRunner().invoke(command, list(arguments))
        assert type(result.exception) is (fails or type(None)), result.output
        return result

    def update(self, percent: int, *more: str, fails: type[Exception] | None = None) -> Result:
        return self.run(mobile_update.command, "--channel", "production", "--percent", str(percent), *more, fails=fails)

    def rollback(self, *more: str, fails: type[Exception] | None = None) -> Result:
        return self.run(mobile_rollback.command, "--channel", "production", *more, fails=fails)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    with expo(tmp_path) as made:
        (tmp_path / "shipmate.yml").write_text(MANIFEST)
        (made.program.app / ".gitignore").write_text("dist/\n")
        git(made.program.app, "add", ".")
        made.change("one")
        monkeypatch.chdir(tmp_path)
        for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ACTIONS"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("EXPO_TOKEN", TOKEN)
        monkeypatch.setenv("SHIPMATE_OVERLAY", str(tmp_path / "overlay.json"))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        monkeypatch.setattr(eas_program, "run", made.run)
        made.eas().start(["android", "ios"], "production")
        made.time.forward(3600)
        yield Terminal(made)


def test_an_update_goes_out_is_seen_and_comes_back(terminal: Terminal) -> None:
    first = terminal.update(100, "--json")
    document = json.loads(first.stdout)
    assert (document["changed"], document["percent"], len(document["updates"])) == (True, 100, 2)
    commit = terminal.expo.change("two")
    assert f"1.2.0 of {commit[:12]} is with 10 % of production" in terminal.update(10, "--message", "Better").stdout
    assert {each.message for each in terminal.expo.account.updates.values()} == {"one", "Better"}
    terminal.expo.change("three")
    assert "another update is being rolled out" in str(terminal.update(10, fails=RefusedError).exception)
    back = json.loads(terminal.rollback("--reason", "it flickers", "--json").stdout)
    assert (back["changed"], back["warning"]) == (True, "") and back["seconds"] >= 0
    assert all("it flickers" in each.message for each in list(terminal.expo.account.updates.values())[-2:])
    assert "is back from" in terminal.rollback().stdout


def test_one_that_does_badly_while_it_is_watched_ends_with_7(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Health(state="bad", says="97.00 % of 2,000 sessions without a crash, 99.5 % are needed")
    monkeypatch.setattr(update_health.UpdateReports, "health", lambda self, updates: bad)
    result = terminal.update(10, "--watch", "30", fails=CheckFailed)
    assert bad.says in str(result.exception) and CheckFailed.exit_code == 7
    assert "warning: devices go to what is inside their build" in result.stdout
    assert all(each.embedded for each in terminal.expo.account.updates.values())


def test_without_sessions_it_is_held(terminal: Terminal) -> None:
    terminal.update(10)
    held = terminal.update(50, fails=RefusedError)
    assert "is held at 10 %" in str(held.exception) and "performance/app_starts" in str(held.exception)
    assert {each.percentage for each in terminal.expo.account.updates.values()} == {10}


def test_each_update_is_announced_to_sentry(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = terminal.expo.program.folder
    (folder / "shipmate.yml").write_text(MANIFEST + REPORTS)
    assert "SENTRY_AUTH_TOKEN is not set" in terminal.update(10).stderr
    sentry = Sentry(tokens={"publisher": ("org:ci",)})
    with running(sentry.app, "sentry") as server:
        overlay = json.loads((folder / "overlay.json").read_text())
        overlay["hosts"]["sentry.io"] = server.url
        (folder / "overlay.json").write_text(json.dumps(overlay))
        monkeypatch.setenv("SENTRY_AUTH_TOKEN", "another")
        assert (
            "Sentry is not notified of the ios update: Sentry does not accept the token (HTTP 401"
            in terminal.update(10).stderr
        )
        monkeypatch.setenv("SENTRY_AUTH_TOKEN", "publisher")
        terminal.update(10)
    updates = terminal.expo.account.updates
    assert {name: release.given for name, release in sentry.organization.releases.items()} == {
        f"ai.techmate.app@1.2.0+update.{update}": {"ref": terminal.expo.commit} for update in updates
    }


def test_what_is_not_committed_does_not_go_out(terminal: Terminal) -> None:
    (terminal.expo.program.app / "index.ts").write_text("export const answer = 3;\n")
    (terminal.expo.program.app / "new.ts").write_text("")
    message = str(terminal.update(10, fails=RefusedError).exception)
    assert "2 files are not committed: index.ts, new.ts" in message.replace("app/", "")
    assert not terminal.expo.account.updates


def test_what_is_missing_is_reported_before_anything_is_asked(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.expo.calls.clear()
    monkeypatch.setenv("EXPO_TOKEN", "")
    assert "EXPO_TOKEN is not set" in str(terminal.rollback(fails=CredentialsError).exception)
    file = terminal.expo.program.folder / "shipmate.yml"
    file.write_text(MANIFEST[: MANIFEST.index("mobile:\n  component")])
    assert "no apps are declared" in str(terminal.update(10, fails=InputError).exception)
    assert not terminal.expo.calls
