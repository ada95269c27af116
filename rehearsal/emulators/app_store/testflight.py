"""TestFlight: what a build is to testers, its groups, what to test, beta review."""

from __future__ import annotations

from rehearsal.emulators.app_store.errors import Refused, invalid, not_found, unprocessable, unrelated
from rehearsal.emulators.app_store.model import BUILD_LIFE, BetaSubmission, Build, Group, Notes, Review
from rehearsal.emulators.app_store.state import Account, new_id

_LONGEST_NOTES = 4000


def processing_state(account: Account, build: Build) -> str:
    """PROCESSING, then VALID, INVALID or FAILED."""
    done = build.processed is not None and build.processed <= account.now()
    return build.state if done else "PROCESSING"


def is_expired(account: Account, build: Build) -> bool:
    """By hand, or 90 days after the upload."""
    return build.expired or account.now() >= build.uploaded + BUILD_LIFE


def has_detail(account: Account, build: Build) -> bool:
    """Not at once: for a while after processing there is no beta detail (fastlane/fastlane#20645)."""
    return build.detailed is not None and build.detailed <= account.now()


def internal_state(account: Account, build: Build) -> str:
    """One of InternalBetaState."""
    blocked = _blocked(account, build)
    if blocked is not None:
        return blocked
    groups = groups_of(account, build)
    return "IN_BETA_TESTING" if any(group.internal for group in groups) else "READY_FOR_BETA_TESTING"


def external_state(account: Account, build: Build) -> str:
    """One of ExternalBetaState."""
    blocked = _blocked(account, build)
    if blocked is not None:
        return blocked
    submission = submission_of(account, build)
    if submission is None:
        return "READY_FOR_BETA_SUBMISSION"
    state = review_state(account, submission.review)
    if state == "APPROVED":
        given = any(not group.internal for group in groups_of(account, build))
        return "IN_BETA_TESTING" if given else "BETA_APPROVED"
    return {
        "WAITING_FOR_REVIEW": "WAITING_FOR_BETA_REVIEW",
        "IN_REVIEW": "IN_BETA_REVIEW",
        "REJECTED": "BETA_REJECTED",
    }[state]


def _blocked(account: Account, build: Build) -> str | None:
    """What keeps a build from every tester."""
    state = processing_state(account, build)
    if state != "VALID":
        return "PROCESSING" if state == "PROCESSING" else "PROCESSING_EXCEPTION"
    if is_expired(account, build):
        return "EXPIRED"
    return "MISSING_EXPORT_COMPLIANCE" if build.encryption is None else None


def review_state(account: Account, review: Review) -> str:
    """One of BetaReviewState."""
    now = account.now()
    if now < review.begins:
        return "WAITING_FOR_REVIEW"
    return "IN_REVIEW" if now < review.ends else review.outcome


def declare_encryption(build: Build, uses: bool) -> None:
    """Export compliance. Raises Refused 409 when it was declared before (fastlane/fastlane#16626): also with the same value."""
    if build.encryption is not None:
        raise invalid("usesNonExemptEncryption", "You cannot update when the value is already set.")
    build.encryption = uses


def expire(build: Build, expired: bool) -> None:
    """End its testing, which cannot be undone (general)."""
    if build.expired and not expired:
        raise invalid("expired", "An expired build cannot be made available again.")
    build.expired = expired


# groups -----------------------------------------------------------------------------------------------------------------


def groups_of(account: Account, build: Build) -> list[Group]:
    """Those that have the build; some have every one of their app."""
    return [
        group
        for group in account.groups.values()
        if group.app == build.app and (group.all_builds or build.id in group.builds)
    ]


def builds_of(account: Account, group: Group) -> list[Build]:
    """What a group has, the newest first."""
    return [build for build in account.visible_builds() if group in groups_of(account, build)]


def add_to_group(account: Account, group: Group, builds: list[str]) -> None:
    """Give builds to a group: all or none. A build may be given to external testers before its review; they get it after.

    Raises Refused 422: a group that has all builds by itself takes none (metasequoiaime/MSIME-Apple#518), nor does any group
    take one that is not processed, is expired, or lacks export compliance (rorkai/App-Store-Connect-CLI#2595).
    """
    for identifier in builds:
        build = next((b for b in account.visible_builds() if b.id == identifier), None)
        if build is None or build.app != group.app:
            raise not_found("builds", identifier)
        if group.all_builds:
            raise unprocessable(
                "Builds cannot be assigned to this internal group.", "Cannot add internal group to a build."
            )
        blocked = _blocked(account, build)
        if blocked in ("PROCESSING", "PROCESSING_EXCEPTION"):
            raise not_processed()
        if blocked is not None:
            raise unprocessable("Build is not assignable.", f"The build cannot be assigned to a group: {blocked}.")
    group.builds += [identifier for identifier in builds if identifier not in group.builds]


def remove_from_group(group: Group, builds: list[str]) -> None:
    """Take builds from a group; those it does not have do not matter."""
    group.builds = [identifier for identifier in group.builds if identifier not in builds]


# what to test -----------------------------------------------------------------------------------------------------------


def add_notes(account: Account, build: Build, locale: str, text: str | None) -> Notes:
    """Raises Refused 409 when the language is there (rorkai/App-Store-Connect-CLI#763)."""
    if any(notes.of == build.id and notes.locale == locale for notes in account.build_notes.values()):
        raise invalid("locale", "There is an entity with same 'locale'.")
    notes = Notes(id=new_id(), of=build.id, locale=locale)
    write_notes(notes, text)
    account.build_notes[notes.id] = notes
    return notes


def write_notes(notes: Notes, text: str | None) -> None:
    """Raises Refused 409 for more than 4,000 characters."""
    if len(text or "") > _LONGEST_NOTES:
        raise invalid("whatsNew", f"The value may have no more than {_LONGEST_NOTES} characters.")
    notes.texts = {} if text is None else {"whatsNew": text}


# beta review ------------------------------------------------------------------------------------------------------------


def submission_of(account: Account, build: Build) -> BetaSubmission | None:
    """A build is submitted once in its life."""
    return next((s for s in account.beta_submissions.values() if s.build == build.id), None)


def submit(account: Account, identifier: str) -> BetaSubmission:
    """Send a build to beta review.

    Raises Refused: 422 for one that is not processed (codemagic-ci-cd/cli-tools#346) or that internal testers could not have
    (cli-tools#340), and while another build of its version is under review; 409 for one that was submitted.
    """
    build = next((b for b in account.visible_builds() if b.id == identifier), None)
    if build is None:
        raise unrelated("build", f"There is no resource of type 'builds' with id '{identifier}'")
    if processing_state(account, build) != "VALID":
        raise not_processed()
    if _blocked(account, build) is not None or not has_detail(account, build):
        raise unprocessable(
            "The build is not in state for internal testing.", "Build is not in internal testing state."
        )
    if submission_of(account, build) is not None:
        raise Refused(409, "STATE_ERROR", "Resource state invalid", "The build has been submitted for review already.")
    if _under_review(account, build):
        raise unprocessable(
            "Another build is in review",
            "There is another build of this version in beta review.",
            "ANOTHER_BUILD_IN_REVIEW",
        )
    submission = BetaSubmission(
        id=build.id, build=build.id, review=account.review(account.pace.beta_queue, account.pace.beta_review)
    )
    account.beta_submissions[submission.id] = submission
    return submission


def _under_review(account: Account, build: Build) -> bool:
    """One build of a version at a time."""
    return any(
        account.now() < submission.review.ends
        and (other := account.builds[submission.build]).version == build.version
        and (other.app, other.platform) == (build.app, build.platform)
        for submission in account.beta_submissions.values()
    )


def not_processed() -> Refused:
    """422."""
    text = "The build is not in a valid processing state for this operation"
    return unprocessable(f"{text}.", f"{text}.")
