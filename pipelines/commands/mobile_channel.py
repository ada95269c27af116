"""What the commands of updates over the air share: reaching a channel from a terminal, and telling what came of it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.mobile.context import Context
    from pipelines.mobile.update_notes import Notes
    from pipelines.mobile.updates import Result, Updates
    from pipelines.providers.eas_updates import Update
    from pipelines.providers.sentry_sessions import SentrySessions

SENTRY_AUTH_TOKEN = "SENTRY_AUTH_TOKEN"  # noqa: S105 - the name of a secret, not one

channel_option = click.option("--channel", required=True, help="Whose devices: a channel of eas.json.")
json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")


def context() -> Context:
    """With EXPO_TOKEN; GITHUB_TOKEN, SENTRY_READ_TOKEN and SENTRY_AUTH_TOKEN where they are set. Progress goes to standard error.

    Raises CredentialsError without EXPO_TOKEN, InputError for a platform without apps.
    """
    from pipelines.errors import CredentialsError
    from pipelines.manifest import load
    from pipelines.mobile.context import open_context
    from pipelines.runtime import Runtime

    found = open_context(load(), Runtime(stream=sys.stderr))
    if not found.access.expo_token:
        raise CredentialsError(
            "EXPO_TOKEN is not set",
            where="EAS",
            next_step="export EXPO_TOKEN=… (expo.dev → account settings → access tokens; a robot's with the role Developer)",
        )
    return found


def updates(context: Context, folder: Path, channel: str) -> Updates:
    """The updates of a channel, of the app in a folder. Raises RefusedError where there is no app."""
    from pipelines.mobile import app
    from pipelines.mobile.update_health import UpdateReports
    from pipelines.mobile.updates import Updates
    from pipelines.providers.eas_updates import EasUpdates

    config = app.read(folder).config
    eas = EasUpdates(context.eas_in(folder))
    named = {
        "bundle": str((config.get("ios") or {}).get("bundleIdentifier", "")),
        "version": str(config.get("version", "")),
    }
    reports = UpdateReports(watch=context.mobile.watch, eas=eas, sessions=_sessions(context), **named)
    return Updates(
        eas=eas,
        channel=channel,
        notes=_notes(context, channel),
        clock=context.clock,
        health=reports.health,
        announce=_announcing(context, **named),
        say=context.runtime.say,
    )


def print_result(result: Result, *, as_json: bool) -> None:
    """Say how it ended. Raises CheckFailed when it was rolled back by itself, RefusedError when it is held."""
    from pipelines.errors import CheckFailed, RefusedError

    if as_json:
        click.echo(json.dumps(_data(result), indent=2))
    else:
        click.echo(result.text)
        if result.warning:
            click.echo(f"warning: {result.warning}")
    if result.halted:
        raise CheckFailed(
            f"the update does badly and was rolled back: {result.halted}",
            where=result.channel,
            next_step="commit what fixes it, and publish that",
        )
    if result.held:
        raise RefusedError(
            f"the update is held at {result.percent} %: {result.held}",
            where=result.channel,
            why="no more devices get it until it is known to do well",
            next_step="run this again later; `mobile/watch` in shipmate.yml says what is needed",
        )


def _data(result: Result) -> dict[str, Any]:
    return {
        "channel": result.channel,
        "text": result.text,
        "changed": result.changed,
        "percent": result.percent,
        "updates": [{"platform": each.platform, "group": each.group, "id": each.id} for each in result.updates],
        "held": result.held,
        "halted": result.halted,
        "warning": result.warning,
        "seconds": round(result.seconds, 1),
    }


def _notes(context: Context, channel: str) -> Notes:
    from pathlib import Path

    from pipelines.mobile.update_notes import FileNotes, GitHubNotes

    if context.github is not None:
        return GitHubNotes(context.github, channel)
    environ = context.runtime.environ
    state = Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    return FileNotes(state / "shipmate" / context.mobile.eas.project / f"{channel}.json")


def _announcing(context: Context, bundle: str, version: str) -> Callable[[Update], None]:
    """Makes an update's release at Sentry, where the app reports anywhere."""
    from pipelines.mobile import clients
    from pipelines.mobile.update_health import release_name
    from pipelines.providers.sentry_releases import SentryReleases

    source = clients.reported_to(context.manifest)
    if source is None:
        return lambda update: None
    token = context.runtime.environ.get(SENTRY_AUTH_TOKEN, "")
    if not token:
        message = f"Sentry knows no commit of the update: {SENTRY_AUTH_TOKEN} is not set (a token of the organization, scope org:ci)"
        return lambda update: context.runtime.say(f"{update.platform}: {message}")
    releases = SentryReleases(source, context.http, token)
    return lambda update: releases.announce(release_name(bundle, version, update.id), update.commit)


def upload_source_maps(context: Context, folder: Path) -> None:
    """Those of what was published from a folder, where the app reports anywhere; what kept them back is printed."""
    from pipelines.mobile import clients, source_maps

    source = clients.reported_to(context.manifest)
    if source is not None:
        environ = context.runtime.environ
        context.runtime.say(source_maps.upload(folder, source, environ.get(SENTRY_AUTH_TOKEN, ""), environ))


def _sessions(context: Context) -> SentrySessions | None:
    from pipelines.mobile import clients

    return clients.sentry(context.manifest, context.access)
