"""The state as eas-cli's fragments ask for it (graphql/types/*.js of npm eas-cli 24.8.0). What is null here the program drops."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from typing import Any

from rehearsal.emulators.eas import builds, updates
from rehearsal.emulators.eas.state import (
    CANCELED,
    DAY,
    ERRORED,
    FINISHED,
    IOS,
    NEW,
    QUEUED,
    RUNNING,
    Account,
    Build,
    Channel,
    Project,
    Update,
)

STORAGE = "artifacts.eascdn.net"
"""Where files lie; general knowledge: a client takes the addresses as they come."""
ROBOT: dict[str, Any] = {
    "id": "b1f1a1c2-8d7e-4c53-9a55-2f6b6a3d4e10",
    "displayName": "release (robot)",
    "firstName": "release",
}


def robot(account: Account) -> dict[str, Any]:
    """Whose token it is."""
    accounts = [{"id": account.name, "name": account.name, "viewerUserPermission": {"role": "DEVELOPER"}}]
    return {"__typename": "Robot", "id": ROBOT["id"], "firstName": ROBOT["firstName"], "accounts": accounts}


def project(one: Project) -> dict[str, Any]:
    """An App."""
    return {
        "__typename": "App",
        "id": one.id,
        "name": one.name,
        "slug": one.slug,
        "fullName": f"@{one.account}/{one.slug}",
        "ownerAccount": {"id": one.account, "name": one.account},
    }


def build(account: Account, one: Build) -> dict[str, Any]:
    """A Build, as of now."""
    state, course, now = builds.status(account, one), builds.courses(account)[one.id], account.now()
    over = state in (ERRORED, FINISHED, CANCELED)
    started = state in (RUNNING, ERRORED, FINISHED) or (state == CANCELED and course.started < course.ended)
    left = course.started - now if state == QUEUED else None
    held = project(account.project(one.project))
    del held["fullName"]
    line = updates.channel(account, one.project, one.channel) if one.channel else None
    return {
        "__typename": "Build",
        "id": one.id,
        "status": state,
        "platform": one.platform.upper(),
        "error": _error(one) if state == ERRORED else None,
        "artifacts": _artifacts(one) if state == FINISHED else None,
        "fingerprint": {"id": one.fingerprint, "hash": one.fingerprint},
        "initiatingActor": {"__typename": "Robot", "id": ROBOT["id"], "displayName": ROBOT["displayName"]},
        "logFiles": [f"https://{STORAGE}/logs/{one.id}.txt"] if started else [],
        "app": held,
        "updateChannel": {"id": line.id, "name": line.name} if line else None,
        "distribution": one.distribution,
        "iosEnterpriseProvisioning": None,
        "buildProfile": one.profile,
        "appIdentifier": one.identifier,
        "sdkVersion": None,
        "appVersion": one.version,
        "appBuildVersion": one.number,
        "runtime": {"id": one.runtime, "version": one.runtime},
        "gitCommitHash": one.commit,
        "gitCommitMessage": one.commit_message,
        "initialQueuePosition": one.position if state not in (NEW,) else None,
        "queuePosition": None
        if left is None
        else max(1, math.ceil(one.position * left / one.queue))
        if one.queue
        else 1,
        "estimatedWaitTimeLeftSeconds": None if left is None else math.ceil(left),
        "priority": "NORMAL",
        "createdAt": moment(one.created),
        "updatedAt": moment(min(now, course.ended) if started or over else one.created),
        "message": one.message,
        "completedAt": moment(course.ended) if over else None,
        "expirationDate": moment(one.created + account.pace.expires),
        "isForIosSimulator": False,
        "metrics": _metrics(one, course, started=started, over=over),
    }


def _metrics(one: Build, course: builds.Course, *, started: bool, over: bool) -> dict[str, Any] | None:
    """Milliseconds."""
    if not started:
        return None
    return {
        "buildWaitTime": round((course.entered - one.created) * 1000),
        "buildQueueTime": round((course.started - course.entered) * 1000),
        "buildDuration": round((course.ended - course.started) * 1000) if over else None,
    }


def _error(one: Build) -> dict[str, Any]:
    return {"errorCode": one.plan.code, "message": one.plan.message, "docsUrl": one.plan.docs}


def _artifacts(one: Build) -> dict[str, Any]:
    address = f"https://expo.dev/artifacts/eas/{one.id}.{builds.EXTENSIONS[one.platform]}"
    return {
        "buildUrl": address,
        "xcodeBuildLogsUrl": f"https://{STORAGE}/logs/{one.id}-xcode.txt" if one.platform == IOS else None,
        "applicationArchiveUrl": address,
        "buildArtifactsUrl": None,
    }


def update(account: Account, one: Update) -> dict[str, Any]:
    """An Update, whole."""
    line = account.branches[one.branch]
    control = account.updates.get(one.control or "")
    return {
        "__typename": "Update",
        "id": one.id,
        "group": one.group,
        "message": one.message,
        "createdAt": moment(one.created),
        "runtime": {"id": one.runtime, "version": one.runtime},
        "platform": one.platform,
        "manifestFragment": one.manifest,
        "isRollBackToEmbedded": one.embedded,
        "manifestPermalink": f"https://u.expo.dev/update/{one.id}",
        "gitCommitHash": one.commit,
        "isGitWorkingTreeDirty": one.dirty,
        "environment": one.environment,
        "actor": {"__typename": "Robot", "id": ROBOT["id"], "firstName": ROBOT["firstName"]},
        "branch": {"id": line.id, "name": line.name},
        "codeSigningInfo": None,
        "rolloutPercentage": one.percentage,
        "rolloutControlUpdate": {"id": control.id, "group": control.group} if control else None,
        "fingerprint": _fingerprint(one.fingerprint) if one.fingerprint else None,
        "manifestHostOverride": None,
        "assetHostOverride": None,
    }


def _fingerprint(hashed: str) -> dict[str, Any]:
    return {"id": hashed, "hash": hashed, "debugInfoUrl": None, "source": None}


def channel(account: Account, one: Channel, groups: int = 1) -> dict[str, Any]:
    """A channel with its branch and that branch's latest groups."""
    line = account.branches[one.branch]
    latest = updates.groups(updates.on_branch(account, line.id))[:groups]
    return {
        "__typename": "UpdateChannel",
        "id": one.id,
        "isPaused": False,
        "isProtected": False,
        "name": one.name,
        "updatedAt": moment(one.created),
        "createdAt": moment(one.created),
        "branchMapping": f'{{"data":[{{"branchId":"{line.id}","branchMappingLogic":"true"}}],"version":0}}',
        "updateBranches": [
            {
                "id": line.id,
                "name": line.name,
                "updateGroups": [[update(account, each) for each in group] for group in latest],
            }
        ],
    }


def insights(account: Account, found: Iterable[Update], start: float, end: float) -> list[dict[str, Any]]:
    """Of each update between two moments, by day (UTC)."""
    return [_insights(account, one, start, end) for one in found]


def _insights(account: Account, one: Update, start: float, end: float) -> dict[str, Any]:
    counted = [launches for launches in one.launches if start <= launches.at <= end]
    days: dict[str, tuple[int, int]] = {}
    at = start
    while at <= end:
        days[_day(at)] = (0, 0)
        at += DAY
    for launches in counted:
        installs, failed = days.get(_day(launches.at), (0, 0))
        days[_day(launches.at)] = (installs + launches.installs, failed + launches.failed)
    return {
        "id": one.id,
        "platform": one.platform,
        "insights": {
            "totalUniqueUsers": sum(launches.users for launches in counted),
            "totalInstalls": sum(launches.installs for launches in counted),
            "totalFailedInstalls": sum(launches.failed for launches in counted),
            "launchAssetCount": 1,
            "averageUpdatePayloadBytes": len(one.manifest),
            "daily": [
                {"date": day, "installs": installs, "failedInstalls": failed}
                for day, (installs, failed) in days.items()
            ],
        },
    }


def _day(at: float) -> str:
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat()}T00:00:00.000Z"


def moment(at: float) -> str:
    """As JavaScript writes it."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
