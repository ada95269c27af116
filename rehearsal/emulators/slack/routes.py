"""HTTP of Slack. Webhooks answer in plain text; the Web API answers 200 with `ok`, whatever happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from rehearsal.emulators.slack.blocks import problems
from rehearsal.emulators.slack.state import Channel, Message, Workspace


class Refused(Exception):
    """A Web API error by its name, with Slack's further words."""

    def __init__(self, error: str, messages: list[str] | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages or []


def app(workspace: Workspace, *, webhooks: Mapping[str, str], tokens: Mapping[str, str]) -> Starlette:
    """`webhooks`: path behind /services/ -> channel; `tokens`: bot token -> bot name."""
    hooks = _Webhooks(workspace, webhooks)
    api = _WebApi(workspace, tokens)
    return Starlette(
        routes=[
            Route("/services/{path:path}", hooks.post, methods=["POST"]),
            Route("/api/{method}", api.call, methods=["GET", "POST"]),
        ]
    )


class _Webhooks:
    """https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""

    def __init__(self, workspace: Workspace, webhooks: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._webhooks = webhooks

    async def post(self, request: Request) -> Response:
        name = self._webhooks.get(request.path_params["path"])
        channel = None if name is None else self._workspace.channel(name)
        if name is None:
            return PlainTextResponse("no_service", 404)
        if channel is None:
            return PlainTextResponse("channel_not_found", 404)
        if channel.archived:
            return PlainTextResponse("channel_is_archived", 410)
        try:
            content = _webhook_content(await request.body(), request.headers.get("content-type", ""))
        except ValueError:
            return PlainTextResponse("invalid_payload", 400)
        error = _content_error(content)
        if error is not None:
            return PlainTextResponse(error.error, 400)
        self._workspace.post(channel, "incoming-webhook", content)
        return PlainTextResponse("ok")


class _WebApi:
    """https://docs.slack.dev/reference/methods: auth.test, chat.postMessage, chat.update, conversations.history"""

    def __init__(self, workspace: Workspace, tokens: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._tokens = tokens
        self._methods = {
            "auth.test": self._who,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
        }

    async def call(self, request: Request) -> Response:
        method = self._methods.get(request.path_params["method"])
        try:
            if method is None:
                raise Refused("unknown_method")
            sent = await _arguments(request)
            return JSONResponse({"ok": True, **method(self._bot(request, sent), sent)})
        except Refused as refused:
            answer: dict[str, Any] = {"ok": False, "error": refused.error}
            if refused.messages:
                answer["errors"] = refused.messages
                answer["response_metadata"] = {"messages": [f"[ERROR] {text}" for text in refused.messages]}
            return JSONResponse(answer)

    def _bot(self, request: Request, sent: dict[str, Any]) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token if scheme.lower() == "bearer" else str(sent.get("token", ""))
        if not token:
            raise Refused("not_authed")
        if token not in self._tokens:
            raise Refused("invalid_auth")
        return self._tokens[token]

    def _who(self, bot: str, _sent: dict[str, Any]) -> dict[str, Any]:
        return {"url": "https://techmate.slack.com/", "team": "techmate", "user": bot, "user_id": f"U{bot}"}

    def _post(self, bot: str, sent: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(sent)
        if channel.archived:
            raise Refused("is_archived")
        error = _content_error(sent)
        if error is not None:
            raise error
        if sent.get("thread_ts") and self._workspace.find(channel, sent["thread_ts"]) is None:
            raise Refused("thread_not_found")
        message = self._workspace.post(channel, bot, sent)
        return {"channel": channel.id, "ts": message.ts, "message": _message_json(message)}

    def _update(self, bot: str, sent: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(sent)
        message = self._workspace.find(channel, str(sent.get("ts", "")))
        if message is None:
            raise Refused("message_not_found")
        if message.sender != bot:
            raise Refused("cant_update_message")
        error = _content_error(sent)
        if error is not None:
            raise error
        self._workspace.change(message, sent)
        return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": _message_json(message)}

    def _history(self, _bot: str, sent: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(sent)
        own = [message for message in self._workspace.messages if message.channel == channel.name]
        limit = int(sent.get("limit") or 100)
        return {"messages": [_message_json(m) for m in own[::-1][:limit]], "has_more": len(own) > limit}

    def _channel(self, sent: dict[str, Any]) -> Channel:
        channel = self._workspace.channel(str(sent.get("channel", "")))
        if channel is None:
            raise Refused("channel_not_found")
        return channel


def _content_error(content: dict[str, Any]) -> Refused | None:
    if not any(content.get(name) for name in ("text", "blocks", "attachments")):
        return Refused("no_text")
    found = problems(content["blocks"]) if content.get("blocks") else []
    return Refused("invalid_blocks", found) if found else None


def _message_json(message: Message) -> dict[str, Any]:
    optional: dict[str, Any] = {"thread_ts": message.thread_ts, "attachments": message.attachments or None}
    return {
        "type": "message",
        "user": message.sender,
        "text": message.text,
        "blocks": message.blocks,
        "ts": message.ts,
    } | {name: value for name, value in optional.items() if value is not None}


def _webhook_content(body: bytes, kind: str) -> dict[str, Any]:
    """A webhook's JSON, sent as such or as the form field `payload`. Raises ValueError."""
    if kind.startswith("application/x-www-form-urlencoded"):
        body = parse_qs(body.decode())["payload"][0].encode() if b"payload=" in body else b""
    content = json.loads(body)
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content


async def _arguments(request: Request) -> dict[str, Any]:
    """What a method was given: query, form or JSON; in the first two, blocks and attachments are JSON inside text."""
    sent: dict[str, Any] = dict(request.query_params)
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            given = json.loads(body or b"{}")
        except ValueError:
            raise Refused("invalid_json") from None
        return {**sent, **given}
    sent.update({name: values[-1] for name, values in parse_qs(body.decode()).items()})
    for name in ("blocks", "attachments"):
        if isinstance(sent.get(name), str):
            try:
                sent[name] = json.loads(sent[name])
            except ValueError:
                raise Refused(f"invalid_{name}_format") from None
    return sent
