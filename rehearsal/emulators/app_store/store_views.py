"""App Store versions, their reviews, and signing, as Apple's resources."""

from __future__ import annotations

from rehearsal.emulators.app_store import phased, store, submissions
from rehearsal.emulators.app_store.model import Certificate, Item, Notes, Phased, Profile, StoreVersion, Submission
from rehearsal.emulators.app_store.resource import Resource, moment
from rehearsal.emulators.app_store.state import Account

_VERSION_STATE = {
    "READY_FOR_SALE": "READY_FOR_DISTRIBUTION",
    "PROCESSING_FOR_APP_STORE": "PROCESSING_FOR_DISTRIBUTION",
}
"""What `appVersionState` calls differently from the older `appStoreState`."""


def version(account: Account, version: StoreVersion) -> Resource:
    state = store.state(account, version)
    release = phased.of_version(account, version)
    notes = [n for n in account.version_notes.values() if n.of == version.id]
    return Resource(
        type="appStoreVersions",
        id=version.id,
        attributes={
            "platform": version.platform,
            "versionString": version.version,
            "appStoreState": state,
            "appVersionState": _VERSION_STATE.get(state, state),
            "copyright": version.copyright,
            "reviewType": "APP_STORE",
            "releaseType": version.release_type,
            "earliestReleaseDate": moment(version.earliest),
            "downloadable": store.is_live(account, version),
            "createdDate": moment(version.created),
        },
        one={
            "app": ("apps", version.app),
            "build": None if version.build is None else ("builds", version.build),
            "appStoreVersionPhasedRelease": (
                None if release is None else ("appStoreVersionPhasedReleases", release.id)
            ),
        },
        many={"appStoreVersionLocalizations": [("appStoreVersionLocalizations", n.id) for n in notes]},
        bare=frozenset({"app"}),
    )


def version_notes(notes: Notes) -> Resource:
    return Resource(
        type="appStoreVersionLocalizations",
        id=notes.id,
        attributes={"locale": notes.locale, **notes.texts},
        one={"appStoreVersion": ("appStoreVersions", notes.of)},
        bare=frozenset({"appStoreVersion"}),
    )


def phased_release(account: Account, release: Phased) -> Resource:
    return Resource(
        type="appStoreVersionPhasedReleases",
        id=release.id,
        attributes={
            "phasedReleaseState": phased.state(account, release),
            "startDate": moment(phased.started(account, release)),
            "totalPauseDuration": phased.total_paused(account, release),
            "currentDayNumber": phased.day(account, release),
        },
    )


def submission(account: Account, submission: Submission) -> Resource:
    shown = next((item for item in submission.items if not item.removed), None)
    return Resource(
        type="reviewSubmissions",
        id=submission.id,
        attributes={
            "platform": submission.platform,
            "state": submissions.state(account, submission),
            "submittedDate": moment(submission.review.submitted if submission.review else None),
        },
        one={
            "app": ("apps", submission.app),
            "appStoreVersionForReview": None if shown is None else ("appStoreVersions", shown.version),
        },
        many={"items": [("reviewSubmissionItems", item.id) for item in submission.items]},
        bare=frozenset({"app", "appStoreVersionForReview"}),
    )


def item(account: Account, submission: Submission, item: Item) -> Resource:
    return Resource(
        type="reviewSubmissionItems",
        id=item.id,
        attributes={"state": submissions.item_state(account, submission, item)},
        one={"appStoreVersion": ("appStoreVersions", item.version)},
        bare=frozenset({"appStoreVersion"}),
    )


def certificate(certificate: Certificate) -> Resource:
    return Resource(
        type="certificates",
        id=certificate.id,
        attributes={
            "name": certificate.name,
            "displayName": certificate.name,
            "certificateType": certificate.kind,
            "serialNumber": certificate.id,
            "expirationDate": moment(certificate.expires),
            "activated": True,
        },
    )


def profile(account: Account, profile: Profile) -> Resource:
    valid = profile.active and profile.expires > account.now()
    return Resource(
        type="profiles",
        id=profile.id,
        attributes={
            "name": profile.name,
            "platform": "IOS",
            "profileType": profile.kind,
            "profileState": "ACTIVE" if valid else "INVALID",
            "createdDate": moment(profile.created),
            "expirationDate": moment(profile.expires),
            "uuid": profile.id,
        },
        many={"certificates": [("certificates", c) for c in profile.certificates]},
    )
