"""Secrets that are missing, all named at once; tokens that are wrong or expired, each with where to replace it; nothing of them shown."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest

from pipelines.runtime import Input
from tests.bad_input.conftest import Desk
from tests.shop import REPOSITORY
from tests.small_platform import Terminal

pytestmark = pytest.mark.world

DELIVERING = (
    "plan_release",
    "approval_gate",
    "deploy_component",
    "go_live",
    "mark_stable",
    "prepare_release",
    "publish_release",
    "rollback",
    "plan_staging",
    "notify",
)


@pytest.mark.parametrize("action", DELIVERING)
def test_everything_an_action_lacks_is_named_at_once(desk: Desk, action: str) -> None:
    """A secret that does not exist is an empty input."""
    declared: tuple[Input, ...] = import_module(f"actions.{action}").INPUTS
    required = [given.name for given in declared if given.required]
    ended = desk.step(action)
    (error,) = ended.commands("error")
    assert ended.code == 5
    assert f"not given: {', '.join(required)}" in error
    assert len(required) >= 2
    assert "Settings → Secrets, in the environment of this job" in error


def test_what_is_missing_and_no_secret_is_bad_input(desk: Desk) -> None:
    ended = desk.step("deploy_component", environment="staging", token="t")
    (error,) = ended.commands("error")
    assert (ended.code, "not given: component" in error, "Secrets" in error) == (4, True, False)


def test_a_terminal_without_any(terminal: Terminal) -> None:
    bare = {"VERCEL_TOKEN": "", "GOOGLE_OAUTH_ACCESS_TOKEN": "", "NO_GCE_CHECK": "true", "GITHUB_TOKEN": ""}
    for argv in (
        ["status"],
        ["rollback", "-e", "staging"],
        ["smoke", "-e", "staging"],
        ["deploy", "-e", "staging", "--release", "x"],
    ):
        result = terminal.run(*argv, code=5, **bare).stderr
        assert "VERCEL_TOKEN is not set; there is no Google account here" in result
        assert "next: export VERCEL_TOKEN" in result
        assert "gcloud auth application-default login" in result
    result = terminal.run(
        "plan", "-e", "production", "--version", "v1.0.0", code=5, GITHUB_REPOSITORY="", **bare
    ).stderr
    assert "GITHUB_TOKEN is not set; VERCEL_TOKEN is not set; there is no Google account here" in result
    assert "VERCEL_TOKEN" in terminal.run("rollback", "-e", "staging", "--component", "web", code=5, **bare).stderr


def test_wrong_tokens_in_a_terminal(terminal: Terminal) -> None:
    """Vercel and Google refuse; without GitHub the providers' state is shown all the same."""
    vercel = terminal.run("status", "-e", "staging", code=5, VERCEL_TOKEN="wrong-and-secret").stderr
    assert "Vercel" in vercel or "vercel" in vercel
    google = terminal.run("status", "-e", "staging", code=5, GOOGLE_OAUTH_ACCESS_TOKEN="wrong-and-secret").stderr
    assert "run.googleapis.com" in google or "Google" in google
    github = terminal.run("status", "-e", "staging", GITHUB_TOKEN="wrong-and-secret")
    assert "the ledger cannot be read (HTTP 401" in github.stdout + github.stderr
    planned = terminal.run(
        "plan", "-e", "production", "--version", "v1.0.0", code=5, GITHUB_TOKEN="wrong-and-secret"
    ).stderr
    assert "the token is wrong, expired or revoked" in planned
    for message in (vercel, google, planned):
        assert "next: " in message
        assert "wrong-and-secret" not in message


def test_an_expired_github_token(desk: Desk) -> None:
    desk.shop.proved("v1.0.0")
    token = desk.shop.do(desk.shop.github.seed.token, "dev-1", lifetime=timedelta(minutes=5))
    desk.shop.clock.ahead = timedelta(minutes=6)
    ended = desk.step("plan_release", environment="production", version="v1.0.0", token=token)
    (error,) = ended.commands("error")
    assert ended.code == 5
    assert "HTTP 401: Bad credentials" in error
    assert "pass a fresh token" in error
    assert ended.log.count(token) == 1, "in the mask alone"


def test_a_github_token_that_may_too_little(desk: Desk) -> None:
    desk.shop.proved("v1.0.0")
    run = desk.shop.start()
    weak = {"contents": "read", "checks": "read", "deployments": "read"}
    token = desk.shop.do(desk.shop.github.hub.job_token, REPOSITORY, weak, run, run.jobs[0])
    ended = desk.plan("v1.0.0", run, token=token)
    (error,) = ended.commands("error")
    assert (ended.code, "widen `permissions:` of the job" in error) == (5, True)
    desk.nothing_was_written()


def test_a_wrong_slack_webhook(desk: Desk, terminal: Terminal) -> None:
    """In the notify action, against the world's own Slack."""
    desk.environ = {}
    manifest = desk.shop.checkout / "shipmate.yml"
    assert "slack_channel" in manifest.read_text()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHIPMATE_OVERLAY", terminal.place.overlay)
        ended = desk.step(
            "notify",
            environment="production",
            version="v1.0.0",
            kind="released",
            needs="{}",
            token="unused",
            slack_webhook="https://hooks.slack.com/services/T0/B0/wrong-and-secret",
        )
    (error,) = ended.commands("error")
    assert ended.code == 8
    assert "nobody was notified" in error
    assert "SLACK_WEBHOOK" in error
    assert "wrong-and-secret" not in error
