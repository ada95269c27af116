"""`eas update` and what rolls updates out and takes them back. Each command asks in the real one's order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.eas import exporting, requirements
from rehearsal.eas.refusal import Failed
from rehearsal.eas.session import Session, platforms, shortened
from rehearsal.eas.viewing import Group, groups, print_group


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
    requirements.clean_tree(project, session.output.say)
    requirements.environment(project, call)
    requirements.updates(project)
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
    return print_group(session, made)


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
    return print_group(session, changed)


def republish(session: Session) -> int:
    """Publish a group's updates again. Of the updates themselves is what it prints, not the shape of the other commands."""
    call = session.call
    if not call["group"]:
        raise Failed("Only --group can be used in non-interactive mode")
    app = session.app_id
    session.json_from_here()
    group = session.api.ask("group", group=call["group"])
    wanted = _wanted(session, group)
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
    latest = groups(session, app, branch["name"], runtime, None, offset=0, limit=2)
    if not latest or latest[0][0]["group"] != identifier:
        is_latest = f' (the latest is "{latest[0][0]["group"]}")' if latest else ""
        raise Failed(
            f'Update group "{identifier}" is not the latest update on branch "{branch["name"]}" for runtime version "{runtime}"'
            f"{is_latest}. Only the latest update can be rolled back."
        )
    # What it calls from here on turns JSON on; before, words go to stdout.
    session.json_from_here()
    if len(latest) == 1:
        message = call["message"] or "Roll back to embedded"
        requirements.updates(session.project)
        requirements.way_back_to_embedded(session.project)
        return _embed(session, branch["id"], runtime, platforms(call["platform"]), message)
    previous = _wanted(session, latest[1])
    text = latest[1][0]["message"] or ""
    message = call["message"] or f'Roll back to "{text}" (group: {latest[1][0]["group"]})'
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
    requirements.updates(session.project)
    requirements.way_back_to_embedded(session.project)
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
    if not all(controls):
        requirements.way_back_to_embedded(session.project)
        message = _message(
            session, "Must supply --message or use --auto when in non-interactive mode and VCS is available"
        )
        session.api.ask("delete-group", group=group)
        first = rolling[0]
        return _embed(
            session, first["branch"]["id"], first["runtime"]["version"], [one["platform"] for one in rolling], message
        )
    identifiers = dict.fromkeys(control["group"] for control in controls)
    before = [session.api.ask("group", group=identifier) for identifier in identifiers]
    message = _message(session)
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


def _wanted(session: Session, group: Group) -> Group:
    """Those of the platforms that were asked for."""
    asked, first = session.call["platform"], group[0]
    found = [one for one in group if one["platform"] in platforms(asked)]
    if not found:
        raise Failed(
            f'There are no updates on branch "{first["branch"]["name"]}" published for the platform(s) "{asked}" with group ID '
            f'"{first["group"]}". Did you mean to publish a new update instead?'
        )
    return found


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
    return print_group(session, _publish(session, line, pieces, {"message": shortened(message, session.output)}))


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
    latest = groups(session, app, branch, runtime, platform, offset=0, limit=1)
    return {"percentage": percentage, "control": latest[0][0]["id"] if latest else None}


def _message(session: Session, missing: str = "Must supply --message when in non-interactive mode") -> str:
    if not session.call["message"]:
        raise Failed(missing)
    return shortened(session.call["message"], session.output)
