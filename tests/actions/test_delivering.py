"""The actions of a delivery, each as a step of one job after the other: what they put out, and what a person reads of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pipelines.delivery.context import Delivery
from pipelines.http import Http
from pipelines.overlay import Overlay
from pipelines.runtime import Runtime
from rehearsal.emulators.slack.app import Slack
from rehearsal.runner.model import Run
from rehearsal.serving import running
from tests.shop import Shop, open_shop

pytestmark = pytest.mark.world

HOOK = "https://hooks.slack.com/services/T1/B1/secret"


@dataclass
class Job:
    """Steps of one run against an environment of a shop, whose hosts live in memory."""

    shop: Shop
    step: Any
    run: Run
    http: Http
    environment: str = "staging"

    def act(self, action: str, **inputs: str) -> tuple[dict[str, str], str]:
        """Run an action that must end well: its outputs and its summary."""
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
            Path(self.step.environ[name]).unlink(missing_ok=True)
        given = {"environment": self.environment, "token": "t0ken", "vercel_token": "v0ken", **inputs}
        assert self.step.run(import_module(f"actions.{action}").main, **given) == 0, self.step.log
        return self.step.outputs(), self.step.summary()

    def delivery(self, runtime: Runtime, values: Mapping[str, str]) -> Delivery:
        """Instead of `actions.delivery.delivery`, which would ask Google and Vercel."""
        made = self.shop.delivery(values["environment"], self.run)
        made.http = made.credentials.http = self.http
        runtime.environ = {**made.runtime.environ, **runtime.environ}
        made.runtime = made.credentials.runtime = runtime
        return made


@pytest.fixture
def job(tmp_path: Path, step: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    with open_shop(tmp_path / "shop") as shop:
        monkeypatch.chdir(shop.checkout)
        made = Job(shop, step, shop.start(), shop.http)
        monkeypatch.setattr("actions.delivery.delivery", made.delivery)
        yield made


def test_a_release_is_staged_given_traffic_and_proved(job: Job) -> None:
    candidate = {"version": "sha-1", **job.shop.artifacts("sha-1")}
    for component, checks in (("backend", 2), ("web", 1)):
        outputs, summary = job.act(f"deploy_{component}", **candidate)
        (deployed,) = job.shop.host("staging", component).deployments
        assert outputs == {"key": deployed.key, "url": deployed.url}
        assert f"### {component} of sha-1 is staged" in summary
        assert f"check the candidate at its own address | {checks} checks passed" in summary
    outputs, summary = job.act("shift_traffic", **candidate)
    assert outputs == {}
    assert "### Traffic goes to sha-1" in summary
    assert "| web | give 100 % of the traffic to sha-1 |" in summary
    outputs, summary = job.act("smoke_test", **candidate, settle="true", junit="reports/smoke.xml")
    assert outputs == {"passed": "3"}
    assert "### staging from outside" in summary
    assert "the page is this release" in summary
    assert (job.shop.checkout / "reports/smoke.xml").read_text().count("<testcase") == 3
    (record,) = job.shop.ledger().records("staging")
    assert (record.state, record.release) == ("success", "sha-1")


def test_a_smoke_test_that_fails_says_which_and_ends_with_7(job: Job) -> None:
    candidate = {"version": "sha-1", **job.shop.artifacts("sha-1")}
    given = {"environment": "staging", "token": "t0ken", "vercel_token": "v0ken", **candidate}
    assert job.step.run(import_module("actions.smoke_test").main, **given) == 7
    assert job.step.outputs() == {"passed": "0"}
    assert "the page is this release" in job.step.commands("error")[0]


def test_a_rollback_says_what_is_live_and_was(job: Job) -> None:
    job.environment = "production"
    for version in ("v1.0.0", "v1.1.0"):
        job.shop.released(version)
    outputs, summary = job.act("rollback")
    assert outputs == {"release": "v1.0.0", "changed": "true"}
    assert "### ↩️ production is back to v1.0.0 (was v1.1.0)" in summary
    assert "| backend | give all traffic to v1.0.0" in summary
    outputs, summary = job.act("rollback", failed="v1.1.0")
    assert outputs == {"release": "v1.0.0", "changed": "false"}
    assert "production serves v1.0.0; there was nothing to take back." in summary


def test_what_is_told_stands_in_the_summary(job: Job) -> None:
    slack = Slack(webhooks={"T1/B1/secret": "deployments"})
    with running(slack.app) as server:
        job.http = Http(overlay=Overlay(hosts=dict.fromkeys(slack.hosts, server.url), time_scale=0.0))
        needs = json.dumps({"deploy-backend": {"result": "failure"}})
        outputs, summary = job.act(
            "notify", environment="production", version="v1.0.0", needs=needs, slack_webhook=HOOK
        )
    assert outputs == {}
    assert summary.strip() == "📣 v1.0.0 to production failed — told by slack"
    assert "v1.0.0 to production failed" in slack.messages[0].text


def test_an_image_that_is_there_is_not_built_again(job: Job) -> None:
    reference = job.shop.artifacts("v1.0.0")["web"]
    outputs, summary = job.act("build_image", component="web", expect=reference)
    assert outputs == {"reference": reference}
    assert summary.strip() == f"**web**: `{reference}` is there, as staging proved it"
