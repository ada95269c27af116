"""Which message the results of a run call for, and by which ways it goes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pipelines.delivery import notifications as telling
from pipelines.delivery.context import Context
from pipelines.errors import InputError, ProviderError
from pipelines.http import Http
from pipelines.manifest.model import Email
from pipelines.manifest.reading import parse
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
ALL = ("plan", "approval", "deploy", "go-live", "release")


def context(http: Http | None = None) -> Context:
    http = http or Http(overlay=Overlay())
    runtime = Runtime(environ=ENVIRON, stream=io.StringIO())
    return Context(
        manifest=parse(MANIFEST),
        environment="production",
        runtime=runtime,
        http=http,
        credentials=Credentials(http=http, runtime=runtime),
    )


def notified(needs: dict[str, Any], *, kind: str = "") -> list[Message]:
    results = json.dumps(
        {name: {"result": value, "outputs": {}} if isinstance(value, str) else value for name, value in needs.items()}
    )
    return telling.messages(context(), kind=kind, release="v1.0.0", needs=results)


def well() -> dict[str, Any]:
    return dict.fromkeys(ALL, "success") | {"roll-back": "skipped"}


def failed_at(job: str, back: Any) -> dict[str, Any]:
    at = ALL.index(job)
    return (
        dict.fromkeys(ALL[:at], "success")
        | {job: "failure"}
        | dict.fromkeys(ALL[at + 1 :], "skipped")
        | {"roll-back": back}
    )


def test_a_release() -> None:
    (message,) = notified(well())
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
    assert [(m.kind, m.title, m.what) for m in notified(failed_at("go-live", back))] == [
        ("rolled-back", "production was rolled back from v1.0.0", "failed: go-live"),
        ("deployment-failed", "v1.0.0 to production failed", "failed: go-live"),
    ]


def test_what_never_had_traffic_was_not_taken_back() -> None:
    back = {"result": "success", "outputs": {"changed": "false"}}
    assert [message.kind for message in notified(failed_at("deploy", back))] == ["deployment-failed"]


def test_what_could_not_be_taken_back_says_what_to_do_now() -> None:
    (message,) = notified(failed_at("go-live", "failure"))
    assert message.title == "v1.0.0 to production failed and was not rolled back"
    assert message.what == "failed: go-live, roll-back"
    assert message.next_step.startswith("now: `shipmate rollback --environment production`")


@pytest.mark.parametrize(
    ("outcome", "changed", "titles"),
    [
        ("success", "true", ["production was rolled back to v1.0.0"]),
        ("success", "false", []),
        ("failure", None, ["The rollback of production failed"]),
    ],
)
def test_a_rollback_by_workflow(outcome: str, changed: str | None, titles: list[str]) -> None:
    """`toJSON(steps)`: outcomes, not results."""
    outputs = {"changed": changed, "release": "v1.0.0"} if changed else {}
    steps = {"rollback": {"outcome": outcome, "conclusion": outcome, "outputs": outputs}}
    assert [message.title for message in notified(steps, kind="rolled-back")] == titles


def test_a_job_that_is_out_of_time_failed() -> None:
    """It ends as cancelled, as when someone cancels the run: then too users may have half a release."""
    back = {"result": "success", "outputs": {"changed": "true"}}
    out_of_time = failed_at("go-live", back) | {"go-live": "cancelled"}
    found = notified(out_of_time)
    assert found[1].title == "v1.0.0 to production was cancelled or ran out of time"
    assert [(m.kind, m.what) for m in found] == [
        ("rolled-back", "cancelled or out of time: go-live"),
        ("deployment-failed", "cancelled or out of time: go-live"),
    ]


def test_an_approval_that_nobody_gave_is_a_failure() -> None:
    (message,) = notified(failed_at("approval", "skipped"))
    assert (message.kind, message.what) == ("deployment-failed", "failed: approval")


@pytest.mark.parametrize("needs", [{}, {"plan": "success"}, {"plan": "success", "approval": "cancelled"}])
def test_nothing_to_tell(needs: dict[str, Any]) -> None:
    assert notified(needs) == []


def test_only_what_the_manifest_wants() -> None:
    quiet = context()
    quiet.manifest = replace(quiet.manifest, alerts=replace(quiet.manifest.alerts, when=("deployment-failed",)))
    needs = json.dumps({"release": {"result": "success"}})
    assert telling.messages(quiet, kind="", release="v1", needs=needs) == []


def test_results_that_are_no_json() -> None:
    with pytest.raises(InputError, match=r"toJSON\(needs\)"):
        telling.messages(context(), kind="", release="v1", needs="{'a': 1}")


def test_a_way_without_its_secret_is_reported_and_left_out() -> None:
    made = context()
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

    def send(self, message: Message) -> None:
        raise ProviderError("it is closed", where="broken")


@pytest.fixture
def slack() -> Iterator[tuple[Slack, Context]]:
    emulator = Slack(webhooks={"T1/B1/secret": "deployments"})
    with running(emulator.app) as server:
        yield emulator, context(Http(overlay=Overlay(hosts=dict.fromkeys(emulator.hosts, server.url), time_scale=0.0)))


def test_one_way_that_fails_does_not_stop_the_other(slack: tuple[Slack, Context]) -> None:
    emulator, made = slack
    (message,) = notified(well())
    ways = [Broken(), *telling.ways(made, "https://hooks.slack.com/services/T1/B1/secret", "", "")]
    assert telling.send(made, message, ways) == ["slack"]
    assert "v1.0.0 is live in production" in emulator.messages[0].text
    assert "it is closed" in made.runtime.stream.getvalue()  # type: ignore[attr-defined]


def test_when_no_way_works_the_job_fails(slack: tuple[Slack, Context]) -> None:
    _, made = slack
    (message,) = notified(well())
    with pytest.raises(ProviderError, match=r"nobody was notified(.|\n)*it is closed"):
        telling.send(made, message, [Broken()])
    wrong = telling.ways(made, "https://hooks.slack.com/services/T1/B1/wrong", "", "")
    with pytest.raises(ProviderError, match="nobody was notified") as error:
        telling.send(made, message, wrong)
    assert "T1/B1/wrong" not in str(error.value)


def test_nobody_to_tell_is_no_failure() -> None:
    (message,) = notified(well())
    assert telling.send(context(), message, []) == []


@pytest.mark.parametrize(("key", "by"), [("T1/B1/secret", ["slack"]), ("T1/B1/wrong", [])])
def test_a_rollback_at_a_terminal_is_reported_and_never_fails_by_it(
    slack: tuple[Slack, Context], key: str, by: list[str]
) -> None:
    emulator, made = slack
    made.runtime.environ = {**ENVIRON, "SLACK_WEBHOOK": f"https://hooks.slack.com/services/{key}"}
    assert telling.notify_of_rollback(made, "v1.0.0", "v1.1.0") == by
    assert [("v1.0.0" in m.text and "v1.1.0" in m.text) for m in emulator.messages] == [True] * len(by)


# breaking the glass -----------------------------------------------------------------------------------------------------

SECRETS = {"slack_webhook": "https://hooks.slack.com/services/T1/B1/secret", "smtp_user": "", "smtp_password": ""}


def announce(made: Context, **secrets: str) -> str:
    """What the log says of it."""
    telling.announce_break_glass(made, "v1.0.0", "checkout is down", "on-call", {**SECRETS, **secrets})
    text: str = made.runtime.stream.getvalue()  # type: ignore[attr-defined]
    return text


def test_breaking_the_glass_is_reported_with_its_reason_as_it_begins(slack: tuple[Slack, Context]) -> None:
    emulator, made = slack
    announce(made)
    (message,) = emulator.messages
    for words in ("v1.0.0 goes to production without approval", "checkout is down", "let through by on-call", "dev-1"):
        assert words in str(message.blocks)
    assert "actions/runs/7" in str(message.blocks)


@pytest.mark.parametrize("key", ["T1/B1/wrong", ""])
def test_a_notice_of_it_that_fails_blocks_nothing(slack: tuple[Slack, Context], key: str) -> None:
    emulator, made = slack
    message = announce(made, slack_webhook=f"https://hooks.slack.com/services/{key}" if key else "")
    assert message.startswith("warning: ")
    assert emulator.messages == []


def test_nor_does_one_that_nobody_answers() -> None:
    made = context(Http(overlay=Overlay(hosts={"hooks.slack.com": "http://127.0.0.1:1"}, time_scale=0.0)))
    assert announce(made).startswith("warning: ")


def test_at_the_end_it_is_not_notified_again() -> None:
    assert [message.kind for message in notified(well())] == ["released"]


def test_where_the_manifest_does_not_ask_for_it_nobody_is_notified(slack: tuple[Slack, Context]) -> None:
    emulator, made = slack
    made.manifest = replace(made.manifest, alerts=replace(made.manifest.alerts, when=("released",)))
    announce(made)
    assert emulator.messages == []
