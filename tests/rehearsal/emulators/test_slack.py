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
            channels=("deployments",),
            webhooks={HOOK: "#deployments", "gone": "#gone"},
        )
        self.url = ""

    def hook(self, content: Any, path: str = HOOK) -> tuple[int, str]:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        answer = requests.post(f"{self.url}/services/{path}", data=body, timeout=5)
        return answer.status_code, answer.text

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


def test_time_stamps_name_one_message_each(client: Client) -> None:
    for _ in range(5):
        client.hook({"text": "x"})
    stamps = [message.ts for message in client.slack.messages]
    assert stamps == sorted(set(stamps))


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
    client.archive("deployments")
    saved = client.slack.save()
    client.slack.reset()
    assert client.slack.messages == []
    client.slack.load(json.loads(json.dumps(saved)))
    assert [message.text for message in client.slack.messages] == ["one"]
    assert client.hook({"text": "x"}) == (410, "channel_is_archived")


def test_what_people_read_of_a_message(client: Client) -> None:
    assert client.hook({"text": "deployed", "blocks": [SECTION]})[0] == 200
    [read] = client.slack.notifications()
    assert (read.to, read.text) == ("#deployments", "deployed\n*deployed*")
    assert read.body == "<p><strong>deployed</strong></p>"
