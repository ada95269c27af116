"""Inputs that the actions of the apps share, and the contexts they make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.runtime import Input, Runtime

if TYPE_CHECKING:
    from pipelines.history import History
    from pipelines.manifest.mobile import Platform
    from pipelines.mobile.clients import Access
    from pipelines.mobile.context import Context

TOKEN = Input(name="token", doc="GitHub token of the job.", required=True, secret=True)
EXPO_TOKEN = Input(name="expo_token", doc="Access token of the robot at Expo.", secret=True)
APP_STORE_KEY = Input(
    name="app_store_key",
    doc="Private part of the API key of App Store Connect, PEM; where there is an iOS app.",
    secret=True,
)
SENTRY_TOKEN = Input(name="sentry_token", doc="Sentry token with the scope org:read.", secret=True)
SOURCE = Input(name="source", doc="Folder with the tagged commit, checked out as data.", default="source")
PLAN = Input(
    name="plan",
    doc="SHA-256 of what was verified; its document is in build/mobile, as the first job uploaded it.",
    required=True,
)


def access(runtime: Runtime, values: Mapping[str, str]) -> Access:
    """What reaches EAS, the stores and Sentry from this job: Google by its identity token, the others by the secrets it was given."""
    from pipelines.http import Http
    from pipelines.mobile.clients import Access

    return Access(
        http=Http(),
        expo_token=values.get("expo_token", ""),
        app_store_key=values.get("app_store_key", ""),
        sentry_token=values.get("sentry_token", ""),
        environ=runtime.environ,
        mask=runtime.mask,
    )


def opened(runtime: Runtime, values: Mapping[str, str]) -> Context:
    """A context by the default branch alone: what is checked out in the workspace. Raises ManifestError, InputError."""
    from pipelines.manifest import load
    from pipelines.mobile.context import open_context

    context = open_context(load(), runtime, token=values.get("token", ""), access=access(runtime, values))
    context.source = Path(values.get("source") or context.source)
    return context


def planned(runtime: Runtime, values: Mapping[str, str]) -> Context:
    """The context of what the run's first job verified. Raises InputError, RefusedError, ManifestError."""
    from pipelines.mobile import plan

    context = opened(runtime, values)
    context.plan = plan.fetch(context.work, values["plan"])
    context.tag, context.commit = context.plan.tag, context.plan.commit
    return context


def recorded(context: Context) -> History:
    """The record of this run in the ledger, made when there is none."""
    from pipelines.history import History
    from pipelines.mobile.context import TASK

    release = context.release
    history = History(context, TASK)
    history.open(
        release.tag,
        release.commit,
        {name: str(number) for name, number in release.numbers.items()},
        plan=release.digest,
    )
    return history


def above(text: str) -> dict[Platform, int]:
    """Platform -> the number that must be exceeded, of `{"android": 42}`. Raises InputError."""
    from pipelines.errors import InputError
    from pipelines.mobile.numbers import MOST

    try:
        found: dict[Platform, int] = json.loads(text or "{}")
        good = all(
            name in ("android", "ios") and type(number) is int and 0 < number < MOST for name, number in found.items()
        )
    except (ValueError, AttributeError):
        good = False
    if not good:
        raise InputError(
            f"{text!r} says no build numbers",
            where="above",
            next_step='leave it empty, or write it like {"android": 42}',
        )
    return found
