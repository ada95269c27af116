"""What looks at updates that were published: `eas update:list`, `update:view` and `update:insights`."""

from __future__ import annotations

from typing import Any

from rehearsal.eas.insight import summary
from rehearsal.eas.printing import described, flat
from rehearsal.eas.refusal import Failed
from rehearsal.eas.session import Session

Group = list[dict[str, Any]]
"""Updates that were published together."""


def update_list(session: Session) -> int:
    """Groups, the newest first. In `message` are also its age and author."""
    call, app = session.call, session.app_id
    session.json_from_here()
    if not call["all"] and not call["branch"]:
        raise Failed("Branch name may not be empty.")
    platform = None if call["platform"] in (None, "all") else call["platform"]
    page = {"offset": call["offset"] or 0, "limit": call["limit"] or 25}
    found = groups(session, app, call["branch"], call["runtime-version"], platform, **page)
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
        return print_group(session, group)
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


def groups(
    session: Session,
    app: str,
    branch: str | None,
    runtime: str | None,
    platform: str | None,
    *,
    offset: int,
    limit: int,
) -> list[Group]:
    """The newest first. Raises Failed for a branch that is not there."""
    found: list[Group] = session.api.ask(
        "groups", project=app, branch=branch, runtime=runtime, platform=platform, offset=offset, limit=limit
    )
    return found


def print_group(session: Session, found: Group) -> int:
    """In the shape of most commands; 0."""
    if session.output.json:
        session.output.result([flat(one) for one in found])
    else:
        for one in found:
            session.output.say(f"Update group ID  {one['group']}\n{one['platform']} update ID  {one['id']}")
    return 0


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
