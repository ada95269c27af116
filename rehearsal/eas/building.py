"""`eas build` and what looks at builds, channels and the account."""

from __future__ import annotations

import sys
import time
from typing import Any

from rehearsal.eas import requirements
from rehearsal.eas.refusal import Failed
from rehearsal.eas.session import Session, platforms

POLL_SECONDS = 10.0
LIMIT_SECONDS = 6 * 3600
"""How long it waits for builds: no hosted job, in which it waits, is longer."""
_OVER = ("ERRORED", "FINISHED", "CANCELED", "PENDING_CANCEL")


def build(session: Session) -> int:
    """Start builds, and wait for them unless asked not to. Only a build that ERRORED makes it 1; one that was canceled does not."""
    session.json_from_here()
    call = session.call
    if not call["platform"]:
        raise Failed("--platform is required when building in non-interactive mode")
    if call["message"] and len(call["message"]) > 1024:
        raise Failed("Message cannot be longer than 1024 characters.")
    requirements.clean_tree(session.project, session.output.say)
    name = call["profile"] or "production"
    profile = session.project.profile(name)
    _require_local_versions(profile)
    requirements.lock_file(session.project)
    # One after the other, as the real one: where the second is refused, the first has begun and nothing is printed of it.
    started = [_start(session, platform, name, profile) for platform in platforms(call["platform"])]
    for one in started:
        session.output.say(f"See logs: {_address(one)}")
    if not call["wait"]:
        return _print(session, started)
    ended = _ended(session, [one["id"] for one in started])
    _print(session, ended)
    return 1 if any(one["status"] == "ERRORED" for one in ended) else 0


def build_list(session: Session) -> int:
    """The newest first."""
    call, app = session.call, session.app_id
    session.json_from_here()
    names = (
        "distribution", "channel", "app-version", "app-build-version", "runtime-version", "app-identifier", "build-profile",
        "git-commit-hash", "fingerprint-hash",
    )  # fmt: skip
    wanted = {name: call[name] for name in names if call[name] is not None}
    if call["platform"] not in (None, "all"):
        wanted["platform"] = call["platform"]
    if call["status"]:
        wanted["status"] = call["status"].replace("-", "_").upper()
    found = session.api.ask("builds", project=app, offset=call["offset"] or 0, limit=call["limit"] or 10, **wanted)
    return _print(session, found)


def build_view(session: Session) -> int:
    """One build, or the newest."""
    app, identifier = session.app_id, session.call.arguments.get("BUILD_ID")
    session.json_from_here()
    if identifier:
        found = session.api.ask("build", build=identifier)
    else:
        builds = session.api.ask("builds", project=app, offset=0, limit=1)
        if not builds:
            session.output.spin(f"✖ Couldn't find any builds for the project {session.app['fullName']}")
            return 0
        found = builds[0]
    if session.output.json:
        session.output.result(found)
    else:
        _show(session, found)
    return 0


def build_cancel(session: Session) -> int:
    """There is no JSON of it."""
    identifier = session.call.arguments.get("BUILD_ID")
    if identifier and (session.call["platform"] or session.call["profile"]):
        raise Failed(
            "Build ID cannot be used together with platform and profile flags. They are used to filter the list of builds when not "
            "providing the build ID"
        )
    _ = session.app_id
    if not identifier:
        raise Failed("Build ID must be provided in non-interactive mode")
    state = session.api.ask("cancel-build", build=identifier)["status"]
    session.output.spin(
        "✔ Build canceled" if state in ("CANCELED", "PENDING_CANCEL") else "  Build is already completed"
    )
    return 0


def channel_list(session: Session) -> int:
    """All channels, each with the latest group of its branch."""
    call, app = session.call, session.app_id
    session.json_from_here()
    found = session.api.ask("channels", project=app, offset=call["offset"] or 0, limit=call["limit"] or 10)
    if session.output.json:
        session.output.result({"currentPage": found})
    else:
        for one in found:
            session.output.say(f"Name  {one['name']}\nID    {one['id']}\n")
    return 0


def channel_view(session: Session) -> int:
    """One channel, with the latest group of its branch."""
    app, name = session.app_id, session.call.arguments.get("name")
    session.json_from_here()
    if not name:
        raise Failed("A channel name is required to view a specific channel.")
    found = session.api.ask("channel", project=app, name=name)
    session.output.say(f"Channel:\nName  {found['name']}\nID    {found['id']}")
    if session.output.json:
        session.output.result({"currentPage": found})
    return 0


def account_view(session: Session) -> int:
    """Whose token it is; 1 without one."""
    actor = session.api.ask("actor")
    session.output.say(f"{actor['firstName']} (robot) (authenticated using EXPO_TOKEN)\n\nAccounts:")
    for account in actor["accounts"]:
        role = account["viewerUserPermission"]["role"].capitalize()
        session.output.say(f"• {account['name']} (Role: {role})")
    return 0


def project_info(session: Session) -> int:
    """There is no JSON of it."""
    session.output.say(f"fullName  {session.app['fullName']}\nID        {session.app_id}")
    return 0


def _require_local_versions(profile: dict[str, Any]) -> None:
    """Numbers that EAS keeps are another story, and none that is supported (its trap: expo/eas-cli#2733)."""
    if profile.get("autoIncrement") or profile["appVersionSource"] != "local":
        raise Failed(
            "eas.json: the rehearsal's eas builds with the numbers of app.json alone: cli.appVersionSource must be local, and the "
            "profile have no autoIncrement"
        )


def _start(session: Session, platform: str, name: str, profile: dict[str, Any]) -> dict[str, Any]:
    project = session.project
    runtime, fingerprint = project.runtime(platform)
    app = session.app_id
    session.output.spin("✔ Uploaded to EAS")
    started: dict[str, Any] = session.api.ask(
        "start-build",
        project=app,
        platform=platform,
        profile=name,
        settings=profile,
        upload=session.api.upload(project.archive()),
        runtime=runtime,
        fingerprint=fingerprint,
        commit=project.commit,
        commit_message=project.commit_message,
        message=session.call["message"],
    )
    return started


def _ended(session: Session, identifiers: list[str]) -> list[dict[str, Any]]:
    session.output.spin("Waiting for build to complete. You can press Ctrl+C to exit.")
    for _ in range(int(LIMIT_SECONDS / POLL_SECONDS)):
        found = [session.api.ask("build", build=identifier) for identifier in identifiers]
        if all(one["status"] in _OVER for one in found):
            return found
        time.sleep(POLL_SECONDS * session.api.time_scale)
    raise Failed(f"The builds did not end within {LIMIT_SECONDS // 3600} hours.")


def _print(session: Session, builds: list[dict[str, Any]]) -> int:
    if session.output.json:
        session.output.result(builds)
        sys.stdout.flush()
    else:
        for one in builds:
            _show(session, one)
    return 0


def _show(session: Session, one: dict[str, Any]) -> None:
    lines = [("ID", one["id"]), ("Platform", one["platform"]), ("Status", one["status"].lower().replace("_", " "))]
    lines += [("Profile", one["buildProfile"]), ("Version", one["appVersion"]), ("Logs", _address(one))]
    if one["error"]:
        lines.append(("Error", one["error"]["message"]))
    session.output.say("\n".join(f"{name:<10}{value}" for name, value in lines) + "\n")


def _address(one: dict[str, Any]) -> str:
    app = one["app"]
    return f"https://expo.dev/accounts/{app['ownerAccount']['name']}/projects/{app['slug']}/builds/{one['id']}"
