"""Uploads, builds and TestFlight as Apple's resources."""

from __future__ import annotations

from typing import Any

from rehearsal.emulators.app_store import storage, testflight, uploads
from rehearsal.emulators.app_store.model import BUILD_LIFE, BetaSubmission, Build, Group, Notes, Upload, UploadFile
from rehearsal.emulators.app_store.resource import Resource, moment
from rehearsal.emulators.app_store.state import Account


def upload(account: Account, upload: Upload) -> Resource:
    state: dict[str, Any] = {"state": uploads.state(account, upload), "errors": [], "warnings": [], "infos": []}
    decided = state["state"] in ("FAILED", "COMPLETE")
    if decided:
        state["errors"], state["warnings"] = _details(upload.errors), _details(upload.warnings)
    files = [f for f in account.files.values() if f.upload == upload.id]
    asset = next((f for f in files if f.kind == "ASSET"), None)
    shown = [b for b in account.visible_builds() if b.id == upload.build]
    return Resource(
        type="buildUploads",
        id=upload.id,
        attributes={
            "cfBundleShortVersionString": upload.version,
            "cfBundleVersion": upload.number,
            "platform": upload.platform,
            "createdDate": moment(upload.created),
            "uploadedDate": moment(upload.committed),
            "state": state,
        },
        one={
            "build": ("builds", shown[0].id) if shown else None,
            "assetFile": None if asset is None else ("buildUploadFiles", asset.id),
        },
        many={"buildUploadFiles": [("buildUploadFiles", f.id) for f in files]},
        bare=frozenset({"build", "assetFile"}),
    )


def file(file: UploadFile) -> Resource:
    waiting = file.state == "AWAITING_UPLOAD"
    operations = [
        {
            "method": "PUT",
            "url": storage.address(file, part),
            "offset": part.offset,
            "length": part.length,
            "requestHeaders": [{"name": "Content-Type", "value": storage.TYPE}],
            "expiration": moment(file.expires),
            "partNumber": part.number,
            **({"entityTag": part.tag} if part.tag else {}),
        }
        for part in file.parts
    ]
    return Resource(
        type="buildUploadFiles",
        id=file.id,
        attributes={
            "assetType": file.kind,
            "fileName": file.name,
            "fileSize": file.size,
            "uti": file.uti,
            "assetToken": file.token,
            "assetDeliveryState": {"state": file.state, "errors": _details(file.errors), "warnings": []},
            "sourceFileChecksums": file.checksums or None,
            "uploadOperations": operations if waiting else None,
        },
    )


def build(account: Account, build: Build) -> Resource:
    submission = testflight.submission_of(account, build)
    notes = [n for n in account.build_notes.values() if n.of == build.id]
    version = next((v for v in account.versions.values() if v.build == build.id), None)
    return Resource(
        type="builds",
        id=build.id,
        attributes={
            "version": build.number,
            "uploadedDate": moment(build.uploaded),
            "expirationDate": moment(build.uploaded + BUILD_LIFE),
            "expired": testflight.is_expired(account, build),
            "minOsVersion": build.minimum_os,
            "processingState": testflight.processing_state(account, build),
            "buildAudienceType": "APP_STORE_ELIGIBLE",
            "usesNonExemptEncryption": build.encryption,
        },
        one={
            "app": ("apps", build.app),
            "preReleaseVersion": ("preReleaseVersions", train_id(build)),
            "buildBetaDetail": (("buildBetaDetails", build.id) if testflight.has_detail(account, build) else None),
            "betaAppReviewSubmission": (None if submission is None else ("betaAppReviewSubmissions", submission.id)),
            "appStoreVersion": None if version is None else ("appStoreVersions", version.id),
            "buildUpload": ("buildUploads", build.upload) if build.upload in account.uploads else None,
        },
        many={
            "betaGroups": [("betaGroups", g.id) for g in testflight.groups_of(account, build)],
            "betaBuildLocalizations": [("betaBuildLocalizations", n.id) for n in notes],
        },
        bare=frozenset({"buildUpload"}),
    )


def trains(account: Account) -> list[Resource]:
    """The versions that builds have appeared of, the newest first."""
    trains: dict[str, list[Build]] = {}
    for build in account.visible_builds():
        trains.setdefault(train_id(build), []).append(build)
    return [
        Resource(
            type="preReleaseVersions",
            id=identifier,
            attributes={"version": builds[0].version, "platform": builds[0].platform},
            one={"app": ("apps", builds[0].app)},
            many={"builds": [("builds", build.id) for build in builds]},
        )
        for identifier, builds in trains.items()
    ]


def details(account: Account) -> list[Resource]:
    """Beta details, of the builds that have one by now."""
    return [
        Resource(
            type="buildBetaDetails",
            id=build.id,
            attributes={
                "autoNotifyEnabled": True,
                "internalBuildState": testflight.internal_state(account, build),
                "externalBuildState": testflight.external_state(account, build),
            },
            one={"build": ("builds", build.id)},
        )
        for build in account.visible_builds()
        if testflight.has_detail(account, build)
    ]


def group(account: Account, group: Group) -> Resource:
    return Resource(
        type="betaGroups",
        id=group.id,
        attributes={
            "name": group.name,
            "createdDate": moment(group.created),
            "isInternalGroup": group.internal,
            "hasAccessToAllBuilds": group.all_builds if group.internal else None,
        },
        one={"app": ("apps", group.app)},
        many={"builds": [("builds", build.id) for build in testflight.builds_of(account, group)]},
    )


def build_notes(notes: Notes) -> Resource:
    return Resource(
        type="betaBuildLocalizations",
        id=notes.id,
        attributes={"locale": notes.locale, **notes.texts},
        one={"build": ("builds", notes.of)},
    )


def beta_submission(account: Account, submission: BetaSubmission) -> Resource:
    return Resource(
        type="betaAppReviewSubmissions",
        id=submission.id,
        attributes={
            "betaReviewState": testflight.review_state(account, submission.review),
            "submittedDate": moment(submission.review.submitted),
        },
        one={"build": ("builds", submission.build)},
    )


def train_id(build: Build) -> str:
    """Apple's ids are opaque; this one says what it is of."""
    return f"{build.app}-{build.platform}-{build.version}"


def _details(issues: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"code": code, "description": text} for code, text in issues]
