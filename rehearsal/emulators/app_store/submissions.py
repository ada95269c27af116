"""Review submissions of the App Store."""

from __future__ import annotations

from typing import Any

from rehearsal.emulators.app_store import store
from rehearsal.emulators.app_store.errors import Refused, unrelated, wrong_state
from rehearsal.emulators.app_store.model import Item, StoreVersion, Submission
from rehearsal.emulators.app_store.state import Account, found, new_id


def state(account: Account, submission: Submission) -> str:
    """One of its states; CANCELING and COMPLETING pass too fast to be seen here."""
    if submission.canceled:
        return "COMPLETE"
    review, now = submission.review, account.now()
    if review is None:
        return "READY_FOR_REVIEW"
    if now < review.begins:
        return "WAITING_FOR_REVIEW"
    if now < review.ends:
        return "IN_REVIEW"
    return "COMPLETE" if review.outcome == "APPROVED" else "UNRESOLVED_ISSUES"


def item_state(account: Account, submission: Submission, item: Item) -> str:
    """READY_FOR_REVIEW, APPROVED, REJECTED or REMOVED."""
    if item.removed or submission.canceled:
        return "REMOVED"
    return {"COMPLETE": "APPROVED", "UNRESOLVED_ISSUES": "REJECTED"}.get(state(account, submission), "READY_FOR_REVIEW")


def of_app(account: Account, app: str) -> list[Submission]:
    """The newest first. Raises Refused 404."""
    found("apps", app, account.apps.values())
    return [s for s in reversed(account.submissions.values()) if s.app == app]


def create(account: Account, app: str, platform: str) -> Submission:
    """Raises Refused 409 while another is open (fastlane/fastlane#21482)."""
    if app not in account.apps:
        raise unrelated("app", f"There is no resource of type 'apps' with id '{app}'")
    for other in of_app(account, app):
        if other.platform == platform and state(account, other) != "COMPLETE":
            raise wrong_state(f"There is another reviewSubmissions with id {other.id} still in progress.")
    submission = Submission(id=new_id(), app=app, platform=platform)
    account.submissions[submission.id] = submission
    return submission


def add_item(account: Account, submission_id: str, version_id: str | None) -> tuple[Submission, Item]:
    """Put a version into a submission. Raises Refused 409 with what it lacks (nickustinov/itsyconnect-macos#67)."""
    submission = account.submissions.get(submission_id)
    if submission is None:
        raise unrelated(
            "reviewSubmission", f"There is no resource of type 'reviewSubmissions' with id '{submission_id}'"
        )
    version = account.versions.get(version_id or "")
    if version is None:
        raise unrelated("appStoreVersion", "Only App Store versions are reviewed here.")
    if state(account, submission) not in ("READY_FOR_REVIEW", "UNRESOLVED_ISSUES"):
        raise wrong_state(f"The submission is {state(account, submission)} and takes no items.")
    if any(item.version == version.id and not item.removed for item in submission.items):
        raise wrong_state("The version is in this submission already.")
    _require_complete(account, version)
    item = Item(id=new_id(), version=version.id)
    submission.items.append(item)
    return submission, item


def _require_complete(account: Account, version: StoreVersion) -> None:
    lacks = _lacks(account, version)
    if not lacks:
        return
    where = f"/v1/appStoreVersions/{version.id}"
    raise Refused(
        409,
        "STATE_ERROR.ENTITY_STATE_INVALID",
        f"appStoreVersions with id '{version.id}' is not in valid state.",
        "This resource cannot be reviewed, please check associated errors to see why.",
        meta={"associatedErrors": {where: [_associated(name) for name in lacks]}},
    )


def _associated(name: str) -> dict[str, Any]:
    return {
        "code": "ENTITY_ERROR.ATTRIBUTE.REQUIRED",
        "title": "The provided entity is missing a required attribute",
        "detail": f"You must provide a value for the attribute '{name}' with this request",
        "source": {"pointer": f"/data/attributes/{name}"},
        "status": "409",
    }


def _lacks(account: Account, version: StoreVersion) -> list[str]:
    if store.state(account, version) not in store.EDITABLE:
        return ["appVersionState"]
    build = account.builds.get(version.build or "")
    lacks = [] if build is not None else ["build"]
    if build is not None and build.encryption is None:
        lacks.append("usesNonExemptEncryption")
    update = bool(account.approved(version.app, version.platform))
    notes = [n for n in account.version_notes.values() if n.of == version.id]
    if update and not all(n.texts.get("whatsNew") for n in notes):
        lacks.append("whatsNew")
    return lacks


def remove_item(account: Account, submission: Submission, item: Item) -> None:
    """Raises Refused 409 during review."""
    if state(account, submission) not in ("READY_FOR_REVIEW", "UNRESOLVED_ISSUES"):
        raise wrong_state(f"The submission is {state(account, submission)}.")
    item.removed = True


def submit(account: Account, submission: Submission) -> None:
    """Send it to review, for the first time or after a rejection. Raises Refused 409."""
    now = state(account, submission)
    items = [item for item in submission.items if not item.removed]
    if now not in ("READY_FOR_REVIEW", "UNRESOLVED_ISSUES") or not items:
        raise wrong_state(f"The submission is {now} and has {len(items)} items to review.")
    for item in items:
        _require_complete(account, account.versions[item.version])
    submission.review = account.review(account.pace.queue, account.pace.review)
    for item in items:
        version = account.versions[item.version]
        version.review, version.withdrawn = submission.review, False


def cancel(account: Account, submission: Submission) -> None:
    """Take it back before the review is over. Raises Refused 409."""
    now = state(account, submission)
    if now == "COMPLETE":
        raise wrong_state("The submission is COMPLETE and cannot be canceled.")
    submission.canceled = True
    for item in submission.items:
        version = account.versions.get(item.version)
        if version is not None and not item.removed:
            version.review, version.withdrawn = None, True
