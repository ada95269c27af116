from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from rehearsal.emulators.slack.app import Slack
from rehearsal.emulators.slack.blocks import problems
from rehearsal.serving import running

HOOK = "T000/B000/of-the-test"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*deployed*"}}


class Client:
    def __init__(self) -> None:
        self.slack = Slack(
            channels=("deployments", "old"),
            webhooks={HOOK: "#deployments", "gone": "#gone"},
            tokens={"bot-token": "shipmate"},
        )
        self.url = ""

    def hook(self, content: Any, path: str = HOOK) -> tuple[int, str]:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        answer = requests.post(f"{self.url}/services/{path}", data=body, timeout=5)
        return answer.status_code, answer.text

    def call(self, method: str, token: str | None = "bot-token", **sent: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = requests.post(f"{self.url}/api/{method}", json=sent, headers=headers, timeout=5)
        assert answer.status_code == 200
        return dict(answer.json())

    def archive(self, name: str) -> None:
        channel = self.slack.workspace.channel(name)
        assert channel is not None
        channel.archived = True


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    with running(made.slack.app) as server:
        made.url = server.url
        yield made


def test_a_webhook_posts_to_its_channel(client: Client) -> None:
    assert client.hook({"text": "deployed", "blocks": [SECTION]}) == (200, "ok")
    [message] = client.slack.messages
    assert (message.channel, message.text, message.blocks) == ("deployments", "deployed", [SECTION])


def test_a_webhook_takes_a_form_too(client: Client) -> None:
    form = {"payload": json.dumps({"text": "hello"})}
    assert requests.post(f"{client.url}/services/{HOOK}", data=form, timeout=5).text == "ok"
    assert client.slack.messages[0].text == "hello"


@pytest.mark.parametrize(
    ("content", "path", "status", "text"),
    [
        (b"{", HOOK, 400, "invalid_payload"),
        (b"[]", HOOK, 400, "invalid_payload"),
        ({}, HOOK, 400, "no_text"),
        ({"blocks": [{"type": "table"}]}, HOOK, 400, "invalid_blocks"),
        ({"text": "x"}, "T000/B000/other", 404, "no_service"),
        ({"text": "x"}, "gone", 404, "channel_not_found"),
    ],
)
def test_webhooks_refuse_in_plain_text(client: Client, content: Any, path: str, status: int, text: str) -> None:
    assert client.hook(content, path) == (status, text)
    assert client.slack.messages == []


def test_an_archived_channel_takes_nothing(client: Client) -> None:
    client.archive("deployments")
    assert client.hook({"text": "x"}) == (410, "channel_is_archived")
    assert client.call("chat.postMessage", channel="#deployments", text="x")["error"] == "is_archived"


def test_post_then_change_then_answer_in_the_thread(client: Client) -> None:
    posted = client.call("chat.postMessage", channel="#deployments", text="deploying", blocks=[SECTION])
    assert posted["ok"]
    where = {"channel": posted["channel"], "ts": posted["ts"]}
    assert client.call("chat.update", **where, text="deployed")["ok"]
    assert client.call("chat.postMessage", channel=posted["channel"], text="details", thread_ts=posted["ts"])["ok"]
    history = client.call("conversations.history", channel="deployments")["messages"]
    assert [message["text"] for message in history] == ["details", "deployed"]
    assert (history[0]["thread_ts"], client.slack.messages[0].edits) == (posted["ts"], 1)


def test_time_stamps_name_one_message_each(client: Client) -> None:
    stamps = [client.call("chat.postMessage", channel="#deployments", text="x")["ts"] for _ in range(5)]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(
    ("method", "token", "sent", "error"),
    [
        ("chat.postMessage", None, {"channel": "#deployments", "text": "x"}, "not_authed"),
        ("chat.postMessage", "wrong", {"channel": "#deployments", "text": "x"}, "invalid_auth"),
        ("chat.postMessage", "bot-token", {"channel": "#nowhere", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", "bot-token", {"channel": "#deployments"}, "no_text"),
        (
            "chat.postMessage",
            "bot-token",
            {"channel": "#deployments", "text": "x", "thread_ts": "1.0"},
            "thread_not_found",
        ),
        ("chat.update", "bot-token", {"channel": "#deployments", "ts": "1.0", "text": "x"}, "message_not_found"),
        ("chat.shout", "bot-token", {}, "unknown_method"),
    ],
)
def test_the_web_api_refuses_with_200_and_a_word(
    client: Client, method: str, token: str | None, sent: dict[str, Any], error: str
) -> None:
    assert client.call(method, token, **sent) == {"ok": False, "error": error}


def test_the_web_api_names_what_is_wrong_with_blocks(client: Client) -> None:
    answer = client.call(
        "chat.postMessage", channel="#deployments", blocks=[{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]
    )
    assert (answer["ok"], answer["error"]) == (False, "invalid_blocks")
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be a text object of type plain_text [json-pointer:/blocks/0/text]"
    ]


def test_the_web_api_takes_a_form(client: Client) -> None:
    form = {"token": "bot-token", "channel": "#deployments", "text": "x", "blocks": json.dumps([SECTION])}
    assert requests.post(f"{client.url}/api/chat.postMessage", data=form, timeout=5).json()["ok"]
    assert client.slack.messages[0].blocks == [SECTION]


def test_long_text_is_cut(client: Client) -> None:
    client.hook({"text": "x" * 50_000})
    assert len(client.slack.messages[0].text) == 40_000


def text(length: int, kind: str = "mrkdwn") -> dict[str, str]:
    return {"type": kind, "text": "x" * length}


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ([SECTION] * 50, None),
        ([SECTION] * 51, "no more than 50 items"),
        ([{"type": "section", "text": text(3000)}], None),
        ([{"type": "section", "text": text(3001)}], "less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        ([{"type": "section"}], "missing required field"),
        ([{"type": "section", "fields": [text(2000)] * 10}], None),
        ([{"type": "section", "fields": [text(1)] * 11}], "1 to 10"),
        ([{"type": "section", "fields": [text(2001)]}], "less than 2001"),
        ([{"type": "section", "text": text(0)}], "at least 1 character"),
        ([{"type": "header", "text": text(150, "plain_text")}], None),
        ([{"type": "header", "text": text(151, "plain_text")}], "less than 151"),
        ([{"type": "context", "elements": [text(1)] * 10}], None),
        ([{"type": "context", "elements": [text(1)] * 11}], "1 to 10"),
        ([{"type": "context", "elements": [{"type": "button"}]}], "unsupported type: button"),
        (
            [{"type": "actions", "elements": [{"type": "button", "text": text(5, "plain_text"), "url": "https://x"}]}],
            None,
        ),
        ([{"type": "actions", "elements": [{"type": "button", "text": text(76, "plain_text")}]}], "less than 76"),
        ([{"type": "actions", "elements": []}], "1 to 25"),
        ([{"type": "image", "image_url": "https://x/y.png", "alt_text": "plot"}], None),
        ([{"type": "image", "image_url": "https://x/y.png"}], "at least 1 character [json-pointer:/blocks/0/alt_text]"),
        ([{"type": "divider"}, {"type": "rich_text", "elements": []}], None),
        ([{**SECTION, "block_id": "a"}, {**SECTION, "block_id": "a"}], "already exists"),
        ([{**SECTION, "block_id": "a" * 256}], "less than 256"),
        ([{"type": "video"}], "unsupported type: 'video'"),
        (["x"], "unsupported type"),
        ({}, "must be a list"),
    ],
)
def test_limits_of_blocks(blocks: Any, problem: str | None) -> None:
    found = problems(blocks)
    assert bool(found) == (problem is not None), found
    assert problem is None or problem in found[0]


def test_a_saved_workspace_comes_back(client: Client) -> None:
    client.hook({"text": "one"})
    client.archive("old")
    saved = client.slack.save()
    client.slack.reset()
    assert client.slack.messages == []
    client.slack.load(json.loads(json.dumps(saved)))
    assert [message.text for message in client.slack.messages] == ["one"]
    assert client.call("chat.postMessage", channel="#old", text="x")["error"] == "is_archived"
