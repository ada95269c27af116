"""`eas update` and what looks at updates, rolls them out and takes them back. Each command asks in the real one's order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.eas import exporting
from rehearsal.eas.insight import summary
from rehearsal.eas.printing import described, flat
from rehearsal.eas.refusal import Failed
from rehearsal.eas.session import Session, platforms, shortened

Group = list[dict[str, Any]]


def update(session: Session) -> int:
    """Publish what the folder holds. One group for each runtime version: with fingerprints one for each platform."""
    call = session.call
    if not call["auto"] and not (call["message"] and (call["branch"] or call["channel"])):
        raise Failed(
            "--branch and --message, or --channel and --message are required when updating in non-interactive mode unless --auto is "
            "specified"
        )
    project, app = session.project, session.app_id
    session.json_from_here()
    if not project.config.get("updates", {}).get("url"):
        raise Failed("app.json: the rehearsal's eas does not configure updates: set expo.updates.url")
    branch = _branch_for(session, app)
    message = call["message"] or (project.commit_message if call["auto"] else None)
    folder = session.folder / call["input-dir"]
    wanted = platforms(call["platform"])
    if not call["skip-bundler"]:
        exporting.export(project, folder, wanted)
        session.output.spin("✔ Exported bundle(s)")
    manifests = exporting.manifests(folder, call["input-dir"], skipped=bool(call["skip-bundler"]))
    pieces = []
    for platform in (one for one in wanted if one in manifests):
        runtime, fingerprint = project.runtime(platform)
        piece = {"platform": platform, "runtime": runtime, "fingerprint": fingerprint, "manifest": manifests[platform]}
        pieces.append(
            {**piece, **_rollout(session, app, branch["name"], runtime, platform, call["rollout-percentage"])}
        )
    line = session.api.ask("branch", project=app, name=branch["name"], make=True)
    status = project.git("status", "--porcelain") if project.commit else None
    about = {"commit": project.commit, "dirty": bool(status), "environment": call["environment"]}
    made = _publish(session, line["id"], pieces, {**about, "message": shortened(message or "", session.output) or None})
    return _print(session, made)


def update_list(session: Session) -> int:
    """Groups, the newest first. In `message` are also its age and author."""
    call, app = session.call, session.app_id
    session.json_from_here()
    if not call["all"] and not call["branch"]:
        raise Failed("Branch name may not be empty.")
    platform = None if call["platform"] in (None, "all") else call["platform"]
    page = {"offset": call["offset"] or 0, "limit": call["limit"] or 25}
    found = _groups(session, app, call["branch"], call["runtime-version"], platform, **page)
    listed = [described(group) for group in found]
    if session.output.json:
        head = {} if call["all"] else {"name": call["branch"], "id": found[0][0]["branch"]["id"] if found else "N/A"}
        session.output.result({**head, "currentPage": listed})
    for one in listed:
        session.output.say(f"{one['group']}  {one['platforms']}  {one['message']}")
    return 0


def update_view(session: Session) -> int:
    """A group, by its id or that of one of its updates."""
    call, identifier = session.call, session.call.arguments["groupId"]
    if not call["insights"] and (call["days"] is not None or call["start"] or call["end"]):
        raise Failed("--days, --start, and --end can only be used with --insights.")
    session.json_from_here()
    group = _group_of(session, identifier)
    if not call["insights"]:
        return _print(session, group)
    found = summary(session, group[0]["group"])
    if session.output.json:
        session.output.result({"updates": [flat(one) for one in group], "insights": found})
    return 0


def update_insights(session: Session) -> int:
    """How often a group was taken, and how often it failed."""
    session.json_from_here()
    found = summary(session, session.call.arguments["groupId"])
    wanted = session.call["platform"]
    if wanted:
        kept = [one for one in found["platforms"] if one["platform"] == wanted]
        if not kept:
            known = ", ".join(one["platform"] for one in found["platforms"])
            group = session.call.arguments["groupId"]
            raise Failed(f'Update group "{group}" has no {wanted} update (available platforms: {known}).')
        found = {**found, "platforms": kept}
    if session.output.json:
        session.output.result(found)
    else:
        for one in found["platforms"]:
            session.output.say(f"{one['platform']}: {one['totals']}")
    return 0


def update_edit(session: Session) -> int:
    """Raise a roll-out's percentage."""
    call, group = session.call, session.call.arguments.get("groupId")
    _ = session.app_id
    session.json_from_here()
    if not group:
        raise Failed("Branch name may not be empty.")
    rolling = [one for one in session.api.ask("group", group=group) if one["rolloutPercentage"] is not None]
    if not rolling:
        raise Failed("Cannot edit rollout percentage on update group that is not a rollout.")
    held = {one["rolloutPercentage"] for one in rolling}
    if len(held) != 1:
        raise Failed("Cannot edit rollout percentage for a group with non-equal percentages for updates in the group.")
    [previous] = held
    percentage = call["rollout-percentage"]
    if percentage is None:
        raise Failed("Must specify --rollout-percentage in non-interactive mode")
    if percentage < previous:
        raise Failed(f"Rollout percentage must be greater than previous rollout percentage ({previous})")
    changed = [session.api.ask("set-percentage", update=one["id"], percentage=percentage) for one in rolling]
    return _print(session, changed)


def republish(session: Session) -> int:
    """Publish a group's updates again. Of the updates themselves is what it prints, not the shape of the other commands."""
    call = session.call
    if not call["group"]:
        raise Failed("Only --group can be used in non-interactive mode")
    app = session.app_id
    session.json_from_here()
    group = session.api.ask("group", group=call["group"])
    wanted = [one for one in group if one["platform"] in platforms(call["platform"])]
    if not wanted:
        raise Failed(
            f'There are no updates on branch "{group[0]["branch"]["name"]}" published for the platform(s) "{call["platform"]}"'
        )
    line = _destination(session, app, wanted[0])
    message = _message(session)
    return _republish(session, app, wanted, line, message, call["rollout-percentage"])


def rollback(session: Session) -> int:
    """Republish the group before the latest, or go to what is embedded where there is none before."""
    call, identifier = session.call, session.call.arguments.get("groupId")
    if not identifier:
        raise Failed("The update group ID argument is required in non-interactive mode.")
    app = session.app_id
    source = session.api.ask("group", group=identifier)[0]
    branch, runtime = source["branch"], source["runtime"]["version"]
    latest = _groups(session, app, branch["name"], runtime, None, offset=0, limit=2)
    session.json_from_here()
    if not latest or latest[0][0]["group"] != identifier:
        is_latest = f' (the latest is "{latest[0][0]["group"]}")' if latest else ""
        raise Failed(
            f'Update group "{identifier}" is not the latest update on branch "{branch["name"]}" for runtime version "{runtime}"'
            f"{is_latest}. Only the latest update can be rolled back."
        )
    if len(latest) == 1:
        message = call["message"] or "Roll back to embedded"
        return _embed(session, branch["id"], runtime, platforms(call["platform"]), message)
    previous = [one for one in latest[1] if one["platform"] in platforms(call["platform"])]
    if not previous:
        raise Failed(
            f'There are no updates on branch "{branch["name"]}" published for the platform(s) "{call["platform"]}"'
        )
    said = latest[1][0]["message"] or ""
    message = call["message"] or f'Roll back to "{said}" (group: {latest[1][0]["group"]})'
    return _republish(session, app, previous, previous[0]["branch"], message, None)


def roll_back_to_embedded(session: Session) -> int:
    """Tell devices of a runtime version to use what is inside their build."""
    call = session.call
    if not (call["message"] and (call["branch"] or call["channel"])):
        raise Failed("--branch and --message, or --channel and --message are required in non-interactive mode")
    if not call["runtime-version"]:
        raise Failed("--runtimeVersion is required in non-interactive mode")
    app = session.app_id
    session.json_from_here()
    named = _branch_for(session, app)["name"]
    line = session.api.ask("branch", project=app, name=named, make=True)
    return _embed(session, line["id"], call["runtime-version"], platforms(call["platform"]), call["message"])


def revert_rollout(session: Session) -> int:
    """Two steps: the group is deleted, then what it was measured against is published again, each of its groups with JSON of its own."""
    group = session.call["group"]
    if not group:
        raise Failed("Only --group can be used in non-interactive mode")
    app = session.app_id
    session.json_from_here()
    rolling = session.api.ask("group", group=group)
    if any(one["rolloutPercentage"] is None for one in rolling):
        raise Failed(f'The update group with ID "{group}" is not a rollout update group.')
    controls = [one["rolloutControlUpdate"] for one in rolling]
    message = _message(session)
    if not all(controls):
        session.api.ask("delete-group", group=group)
        first = rolling[0]
        return _embed(
            session, first["branch"]["id"], first["runtime"]["version"], [one["platform"] for one in rolling], message
        )
    identifiers = dict.fromkeys(control["group"] for control in controls)
    before = [session.api.ask("group", group=identifier) for identifier in identifiers]
    session.api.ask("delete-group", group=group)
    for one in before:
        _republish(session, app, one, before[0][0]["branch"], message, None)
    return 0


def _branch_for(session: Session, app: str) -> dict[str, Any]:
    call = session.call
    if call["channel"] and call["branch"]:
        raise Failed("Cannot specify both --channel and --branch. Specify either --channel, --branch, or --auto.")
    if call["channel"]:
        found: dict[str, Any] = session.api.ask("branch-of-channel", project=app, name=call["channel"])
        return found
    if call["branch"]:
        return {"name": call["branch"]}
    named = session.project.git("branch", "--show-current") if session.project.commit else None
    if not named:
        raise Failed(
            "Must supply --branch or --channel for branch name as auto-detection of branch name via --auto is not supported when no VCS "
            "is present."
        )
    return {"name": named}


def _destination(session: Session, app: str, one: dict[str, Any]) -> dict[str, Any]:
    call = session.call
    line: dict[str, Any] = one["branch"]
    if call["destination-branch"]:
        line = session.api.ask("branch", project=app, name=call["destination-branch"], make=False)
    elif call["destination-channel"]:
        line = session.api.ask("branch-of-channel", project=app, name=call["destination-channel"])
    return line


def _republish(
    session: Session, app: str, group: Group, line: dict[str, Any], message: str, percentage: int | None
) -> int:
    if any(one["rolloutControlUpdate"] for one in group):
        raise Failed(
            "Cannot republish an update that is being rolled-out. Either complete the update rollout and then republish or publish a new "
            "rollout update."
        )
    pieces = []
    for one in group:
        runtime, platform = one["runtime"]["version"], one["platform"]
        piece = {"platform": platform, "runtime": runtime, "embedded": one["isRollBackToEmbedded"]}
        if not one["isRollBackToEmbedded"]:
            # 0 is no percentage to the real one either: then it is for everybody.
            rollout = _rollout(session, app, line["name"], runtime, platform, percentage or None)
            fingerprint = (one["fingerprint"] or {}).get("hash")
            piece |= {"manifest": one["manifestFragment"], "fingerprint": fingerprint, **rollout}
        pieces.append(piece)
    names = ("gitCommitHash", "isGitWorkingTreeDirty", "environment")
    commit, dirty, environment = (group[0][name] for name in names)
    about = {"message": message, "commit": commit, "dirty": dirty, "environment": environment}
    made = _publish(session, line["id"], pieces, about, failed="Failed to republish update group")
    if session.output.json:
        session.output.result(made)
    else:
        session.output.say(f"Update group ID  {made[0]['group']}")
    return 0


def _embed(session: Session, line: str, runtime: str, wanted: Iterable[str], message: str) -> int:
    pieces = [{"platform": platform, "runtime": runtime, "embedded": True} for platform in wanted]
    return _print(session, _publish(session, line, pieces, {"message": shortened(message, session.output)}))


def _publish(
    session: Session,
    line: str,
    pieces: list[dict[str, Any]],
    about: dict[str, Any],
    failed: str = "Failed to publish updates",
) -> Group:
    try:
        made: Group = session.api.ask("publish", branch=line, pieces=pieces, about=about)
    except Failed:
        session.output.spin(f"✖ {failed}")
        raise
    session.output.spin("✔ Published!")
    return made


def _rollout(
    session: Session, app: str, branch: str, runtime: str, platform: str, percentage: int | None
) -> dict[str, Any]:
    """With the update that the others keep: the latest, or none where this is the first (before: expo/eas-cli#2947)."""
    if percentage is None:
        return {}
    session.api.ask("branch", project=app, name=branch, make=True)
    latest = _groups(session, app, branch, runtime, platform, offset=0, limit=1)
    return {"percentage": percentage, "control": latest[0][0]["id"] if latest else None}


def _message(session: Session) -> str:
    if not session.call["message"]:
        raise Failed("Must supply --message when in non-interactive mode")
    return shortened(session.call["message"], session.output)


def _groups(
    session: Session,
    app: str,
    branch: str | None,
    runtime: str | None,
    platform: str | None,
    *,
    offset: int,
    limit: int,
) -> list[Group]:
    found: list[Group] = session.api.ask(
        "groups", project=app, branch=branch, runtime=runtime, platform=platform, offset=offset, limit=limit
    )
    return found


def _group_of(session: Session, identifier: str) -> Group:
    try:
        found: Group = session.api.ask("group", group=identifier)
    except Failed as missing:
        try:
            one = session.api.ask("update", update=identifier)
        except Failed:
            raise missing from None
        found = session.api.ask("group", group=one["group"])
    return found


def _print(session: Session, found: Group) -> int:
    if session.output.json:
        session.output.result([flat(one) for one in found])
    else:
        for one in found:
            session.output.say(f"Update group ID  {one['group']}\n{one['platform']} update ID  {one['id']}")
    return 0
