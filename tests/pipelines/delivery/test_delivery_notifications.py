"""Which message the results of a run call for, and by which ways it goes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pipelines.delivery import notifications as telling
from pipelines.delivery.context import Delivery
from pipelines.errors import InputError, ProviderError
from pipelines.http import Http
from pipelines.manifest.load import parse
from pipelines.manifest.model import Email
from pipelines.overlay import Overlay
from pipelines.providers import Credentials
from pipelines.roles import Message
from pipelines.runtime import Runtime
from rehearsal.emulators.slack.app import Slack
from rehearsal.serving import running
from tests.shop_files import MANIFEST

ENVIRON = {
    "GITHUB_ACTOR": "dev-1",
    "GITHUB_RUN_ID": "7",
    "GITHUB_SERVER_URL": "https://github.test",
    "GITHUB_REPOSITORY": "techmate/platform",
}
ALL = ("plan", "approval", "image", "deploy-backend", "deploy-web", "go-live", "smoke-tests", "release")


def delivery(http: Http | None = None) -> Delivery:
    http = http or Http(overlay=Overlay())
    runtime = Runtime(environ=ENVIRON, stream=io.StringIO())
    return Delivery(
        manifest=parse(MANIFEST),
        environment="production",
        runtime=runtime,
        http=http,
        credentials=Credentials(http=http, runtime=runtime),
    )


def told(needs: dict[str, Any], *, kind: str = "", break_glass: str = "") -> list[Message]:
    results = json.dumps(
        {name: {"result": value, "outputs": {}} if isinstance(value, str) else value for name, value in needs.items()}
    )
    return telling.messages(delivery(), kind=kind, release="v1.0.0", needs=results, break_glass=break_glass)


def well() -> dict[str, Any]:
    return dict.fromkeys(ALL, "success") | {"way-back": "skipped"}


def failed_at(job: str, back: Any) -> dict[str, Any]:
    at = ALL.index(job)
    return (
        dict.fromkeys(ALL[:at], "success")
        | {job: "failure"}
        | dict.fromkeys(ALL[at + 1 :], "skipped")
        | {"way-back": back}
    )


def test_a_release() -> None:
    (message,) = told(well())
    assert (message.kind, message.title, message.what) == (
        "released",
        "v1.0.0 is live in production",
        "all checks passed",
    )
    assert (message.where, message.who) == ("production", "dev-1")
    assert message.run == "https://github.test/techmate/platform/actions/runs/7"
    assert "shipmate rollback" in message.next_step


def test_what_was_taken_back() -> None:
    back = {"result": "success", "outputs": {"changed": "true"}}
    assert [(m.kind, m.title, m.what) for m in told(failed_at("smoke-tests", back))] == [
        ("rolled-back", "production was taken back from v1.0.0", "failed: smoke-tests"),
        ("deployment-failed", "v1.0.0 to production failed", "failed: smoke-tests"),
    ]


def test_what_never_had_traffic_was_not_taken_back() -> None:
    back = {"result": "success", "outputs": {"changed": "false"}}
    assert [message.kind for message in told(failed_at("deploy-backend", back))] == ["deployment-failed"]


def test_what_could_not_be_taken_back_says_what_to_do_now() -> None:
    (message,) = told(failed_at("smoke-tests", "failure"))
    assert message.title == "v1.0.0 to production failed and was not taken back"
    assert message.what == "failed: smoke-tests, way-back"
    assert message.next_step.startswith("now: `shipmate rollback --environment production`")


@pytest.mark.parametrize(
    ("outcome", "changed", "titles"),
    [
        ("success", "true", ["production was taken back to v1.0.0"]),
        ("success", "false", []),
        ("failure", None, ["The rollback of production failed"]),
    ],
)
def test_a_rollback_by_workflow(outcome: str, changed: str | None, titles: list[str]) -> None:
    """`toJSON(steps)`: outcomes, not results."""
    outputs = {"changed": changed, "release": "v1.0.0"} if changed else {}
    steps = {"rollback": {"outcome": outcome, "conclusion": outcome, "outputs": outputs}}
    assert [message.title for message in told(steps, kind="rolled-back")] == titles


def test_breaking_the_glass_is_told_with_its_reason() -> None:
    first, second = told(well(), break_glass="checkout is down")
    assert (first.kind, first.title, first.what) == (
        "break-glass",
        "v1.0.0 goes to production without approval",
        "checkout is down",
    )
    assert second.kind == "released"


def test_a_job_that_is_out_of_time_failed() -> None:
    """It ends as cancelled, as when somebody cancels the run: then too users may have half a release."""
    back = {"result": "success", "outputs": {"changed": "true"}}
    out_of_time = failed_at("go-live", back) | {"go-live": "cancelled"}
    assert [(m.kind, m.what) for m in told(out_of_time)] == [
        ("rolled-back", "failed: go-live (cancelled, or out of time)"),
        ("deployment-failed", "failed: go-live (cancelled, or out of time)"),
    ]


def test_a_glass_that_was_not_broken_is_a_failed_approval() -> None:
    (message,) = told(failed_at("approval", "skipped"), break_glass="because")
    assert (message.kind, message.what) == ("deployment-failed", "failed: approval")


@pytest.mark.parametrize("needs", [{}, {"plan": "success"}, {"plan": "success", "approval": "cancelled"}])
def test_nothing_to_tell(needs: dict[str, Any]) -> None:
    assert told(needs) == []


def test_only_what_the_manifest_wants() -> None:
    quiet = delivery()
    quiet.manifest = replace(quiet.manifest, alerts=replace(quiet.manifest.alerts, when=("deployment-failed",)))
    needs = json.dumps({"release": {"result": "success"}})
    assert telling.messages(quiet, kind="", release="v1", needs=needs, break_glass="") == []


def test_results_that_are_no_json() -> None:
    with pytest.raises(InputError, match=r"toJSON\(needs\)"):
        telling.messages(delivery(), kind="", release="v1", needs="{'a': 1}", break_glass="")


def test_a_way_without_its_secret_is_said_and_left_out() -> None:
    made = delivery()
    assert telling.ways(made, "", "", "") == []
    assert "SLACK_WEBHOOK is missing" in made.runtime.stream.getvalue()  # type: ignore[attr-defined]
    assert [way.name for way in telling.ways(made, "https://hooks.slack.com/services/x", "", "")] == ["slack"]
    email = Email(sender="a@x.test", to=("b@x.test",), server="mail.x.test:587")
    made.manifest = replace(made.manifest, alerts=replace(made.manifest.alerts, email=email))
    assert [way.name for way in telling.ways(made, "https://hooks.slack.com/services/x", "u", "p")] == [
        "slack",
        "email",
    ]


@dataclass
class Broken:
    """A way that never works."""

    name = "broken"

    def tell(self, message: Message) -> None:
        raise ProviderError("it is closed", where="broken")


@pytest.fixture
def slack() -> Iterator[tuple[Slack, Delivery]]:
    emulator = Slack(webhooks={"T1/B1/secret": "deployments"})
    with running(emulator.app) as server:
        yield emulator, delivery(Http(overlay=Overlay(hosts=dict.fromkeys(emulator.hosts, server.url), time_scale=0.0)))


def test_one_way_that_fails_does_not_stop_the_other(slack: tuple[Slack, Delivery]) -> None:
    emulator, made = slack
    (message,) = told(well())
    ways = [Broken(), *telling.ways(made, "https://hooks.slack.com/services/T1/B1/secret", "", "")]
    assert telling.tell(made, message, ways) == ["slack"]
    assert "v1.0.0 is live in production" in emulator.messages[0].text
    assert "it is closed" in made.runtime.stream.getvalue()  # type: ignore[attr-defined]


def test_when_no_way_works_the_job_fails(slack: tuple[Slack, Delivery]) -> None:
    _, made = slack
    (message,) = told(well())
    with pytest.raises(ProviderError, match=r"nobody was told(.|\n)*it is closed"):
        telling.tell(made, message, [Broken()])
    wrong = telling.ways(made, "https://hooks.slack.com/services/T1/B1/wrong", "", "")
    with pytest.raises(ProviderError, match="nobody was told") as error:
        telling.tell(made, message, wrong)
    assert "T1/B1/wrong" not in str(error.value)


def test_nobody_to_tell_is_no_failure() -> None:
    (message,) = told(well())
    assert telling.tell(delivery(), message, []) == []


@pytest.mark.parametrize(("key", "by"), [("T1/B1/secret", ["slack"]), ("T1/B1/wrong", [])])
def test_a_rollback_at_a_terminal_is_told_and_never_fails_by_it(
    slack: tuple[Slack, Delivery], key: str, by: list[str]
) -> None:
    emulator, made = slack
    made.runtime.environ = {**ENVIRON, "SLACK_WEBHOOK": f"https://hooks.slack.com/services/{key}"}
    assert telling.tell_of_rollback(made, "v1.0.0", "v1.1.0") == by
    assert [("v1.0.0" in m.text and "v1.1.0" in m.text) for m in emulator.messages] == [True] * len(by)
