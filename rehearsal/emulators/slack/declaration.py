"""Slack in a world: one webhook, of the channel that deployments are reported in."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from rehearsal.definition import Definition
from rehearsal.emulators.declaration import Declaration, WorldContext, alerting
from rehearsal.emulators.slack.app import Slack

_SECRET = "SLACK_WEBHOOK"
_BEFORE = "/services/"


def _build(context: WorldContext) -> Slack:
    return Slack(webhooks={urlsplit(context.secrets[_SECRET]).path.removeprefix(_BEFORE): "deployments"})


def _secrets() -> dict[str, str]:
    path = f"T{secrets.token_hex(4).upper()}/B{secrets.token_hex(4).upper()}/{secrets.token_hex(12)}"
    return {_SECRET: f"https://{Slack.hosts[0]}{_BEFORE}{path}"}


def _used(definition: Definition) -> bool:
    return "slack_channel" in definition.manifest.get("alerts", {})


EMULATOR = Declaration(name=Slack.name, build=_build, secrets=_secrets, used=_used, environments=alerting)
