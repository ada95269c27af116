"""HTTP of Slack's incoming webhooks, which answer in plain text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rehearsal.emulators.slack.blocks import problems
from rehearsal.emulators.slack.state import Workspace


def app(workspace: Workspace, *, webhooks: Mapping[str, str]) -> Starlette:
    """`webhooks`: path behind /services/ -> channel."""
    hooks = _Webhooks(workspace, webhooks)
    return Starlette(routes=[Route("/services/{path:path}", hooks.post, methods=["POST"])])


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
            return PlainTextResponse(error, 400)
        self._workspace.post(channel, content)
        return PlainTextResponse("ok")


def _content_error(content: dict[str, Any]) -> str | None:
    if not any(content.get(name) for name in ("text", "blocks", "attachments")):
        return "no_text"
    return "invalid_blocks" if content.get("blocks") and problems(content["blocks"]) else None


def _webhook_content(body: bytes, kind: str) -> dict[str, Any]:
    """A webhook's JSON, sent as such or as the form field `payload`. Raises ValueError."""
    if kind.startswith("application/x-www-form-urlencoded"):
        body = parse_qs(body.decode())["payload"][0].encode() if b"payload=" in body else b""
    content = json.loads(body)
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content
