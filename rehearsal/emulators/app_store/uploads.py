"""Build uploads: declared, sent in parts, committed, then looked into.

Wrong content shows in the upload's state, never by a status of HTTP. Apple describes the states; the order of events is that
of its prose. Codes are those of the ITMS messages people have published.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from rehearsal.emulators.app_store import ipa
from rehearsal.emulators.app_store.errors import Refused, invalid, unrelated, used, wrong_state
from rehearsal.emulators.app_store.model import Build, Part, Plan, Upload, UploadFile
from rehearsal.emulators.app_store.state import Account, found, new_id

Finding = tuple[str, str]
_OPERATIONS_LAST = 24 * 3600.0
_CHUNK = 1 << 20
_DIGESTS = {"MD5": "md5", "SHA_256": "sha256"}


def create(account: Account, app: str, version: str, number: str, platform: str) -> Upload:
    """Reserve an upload. Raises Refused 409 for a number that is used, and for an app that is not there."""
    if app not in account.apps:
        raise unrelated("app", f"There is no resource of type 'apps' with id '{app}'")
    if not re.fullmatch(r"\d+(\.\d+){0,2}", number):
        raise invalid("cfBundleVersion", f"The value '{number}' is not a period-separated list of numbers.")
    upload = Upload(
        id=new_id(), app=app, version=version, number=number, platform=platform, created=account.now()
    )  # fmt: skip
    previous = _same_number(account, upload)
    if previous is not None:
        raise used(
            "cfBundleVersion",
            f"The bundle version must be higher than the previously uploaded version: ‘{previous}’.",
            previousBundleVersion=previous,
        )
    closed = _closed(account, upload) if account.closed_train_at_once else []
    if closed:
        code, text = closed[0]
        raise Refused(409, f"STATE_ERROR.VALIDATION_ERROR.{code}", "Asset validation failed", text)
    account.uploads[upload.id] = upload
    return upload


def state(account: Account, upload: Upload) -> str:
    """AWAITING_UPLOAD, PROCESSING, FAILED or COMPLETE."""
    if upload.committed is None or upload.decided is None:
        return "AWAITING_UPLOAD"
    if account.now() < upload.decided:
        return "PROCESSING"
    return "FAILED" if upload.errors else "COMPLETE"


def delete(account: Account, upload: Upload) -> None:
    """Take a reservation back. Raises Refused 409 once it was committed (general)."""
    if upload.committed is not None:
        raise wrong_state("The build upload has been committed and cannot be deleted.")
    for file in [file for file in account.files.values() if file.upload == upload.id]:
        path(account, file).unlink(missing_ok=True)
        del account.files[file.id]
    del account.uploads[upload.id]


def add_file(account: Account, upload_id: str, name: str, size: int, uti: str, kind: str) -> UploadFile:
    """Reserve a file of an upload, with its operations. Raises Refused 409."""
    upload = account.uploads.get(upload_id)
    if upload is None:
        raise unrelated("buildUpload", f"There is no resource of type 'buildUploads' with id '{upload_id}'")
    if upload.committed is not None:
        raise wrong_state("The build upload does not accept files any more.")
    if any(file.upload == upload_id and file.kind == kind for file in account.files.values()):
        raise used("assetType", f"There is a file of type {kind} already.")
    offsets = range(0, size, account.part_size)
    parts = [
        Part(number=number, offset=offset, length=min(account.part_size, size - offset))
        for number, offset in enumerate(offsets, 1)
    ]
    file = UploadFile(
        id=new_id(), upload=upload_id, name=name, size=size, uti=uti, kind=kind, token=new_id(),
        expires=account.now() + _OPERATIONS_LAST, parts=parts,
    )  # fmt: skip
    account.files[file.id] = file
    return file


def path(account: Account, file: UploadFile) -> Path:
    """Where the bytes of a file under upload lie."""
    return account.root / file.token


def commit(account: Account, file: UploadFile, checksums: dict[str, dict[str, str]]) -> None:
    """`uploaded: true`. Raises Refused 409 while parts are missing, and the second time.

    A wrong checksum fails the file and its upload. Of Apple's two kinds `file` is compared; how `composite` is made is not
    published, so it is kept and not judged.
    """
    if file.state != "AWAITING_UPLOAD":
        raise wrong_state("The file has been uploaded already.")
    missing = [str(part.number) for part in file.parts if part.tag is None]
    if missing:
        raise wrong_state(f"Not all parts of the file have been uploaded; missing: {', '.join(missing)}.")
    file.checksums = checksums
    content = path(account, file)
    claimed = checksums.get("file")
    digests = _digests(content)
    file.sha256 = digests["SHA_256"]
    if claimed and digests[claimed["algorithm"]] != claimed["hash"].lower():
        # General: Apple names no code for it.
        file.errors = [("CHECKSUM_MISMATCH", "The checksum of the file does not match the uploaded content.")]
    file.state = "FAILED" if file.errors else "COMPLETE"
    upload = account.uploads[file.upload]
    if file.kind == "ASSET":
        _take(account, upload, file, content)
    content.unlink()


def _take(account: Account, upload: Upload, file: UploadFile, content: Path) -> None:
    """Decide what becomes of an upload; it shows when the time has come."""
    plan = account.next_uploads.pop(0) if account.next_uploads else Plan()
    now = account.now()
    upload.committed, upload.decided = now, now + account.pace.accept
    try:
        info, problems = ipa.read(content), list[Finding]()
    except ipa.BadArchive as error:
        info, problems = None, [("90053", f"This bundle is invalid. The archive cannot be read: {error}")]
    if info is not None:
        problems = _problems(account, upload, info)
    upload.errors, upload.warnings = [*file.errors, *problems, *plan.errors], plan.warnings
    if info is None or upload.errors:
        return
    appears = upload.decided + (account.pace.appear if plan.appear is None else plan.appear)
    processed = appears + account.pace.process
    detailed = processed + (account.pace.detail if plan.detail is None else plan.detail)
    build = Build(
        id=new_id(), app=upload.app, version=info.version, number=info.number, platform=upload.platform,
        upload=upload.id, uploaded=now, state=plan.state, encryption=info.encryption, minimum_os=info.minimum_os,
        appears=None if plan.hidden else appears, processed=None if plan.hidden else processed,
        detailed=None if plan.hidden else detailed, sha256=file.sha256 or "",
    )  # fmt: skip
    account.builds[build.id] = build
    upload.build = build.id


def _problems(account: Account, upload: Upload, info: ipa.Info) -> list[Finding]:
    app = account.apps[upload.app]
    found_problems = [*_closed(account, upload)]
    if info.bundle != app.bundle:
        found_problems.append(
            (
                "90054",
                f"This bundle is invalid. The bundle identifier cannot be changed from the current value, '{app.bundle}'. "
                "If you want to change your bundle identifier, you will need to create a new application.",
            )
        )
    if not ipa.is_version(info.version):
        # A pre-release version such as 1.2.0-rc.1 (expo/eas-cli#2733).
        found_problems.append(
            (
                "90060",
                f"This bundle is invalid. The value for key CFBundleShortVersionString '{info.version}' in the Info.plist "
                "file must be a period-separated list of at most three non-negative integers.",
            )
        )
    for key, declared, real in (
        ("CFBundleShortVersionString", upload.version, info.version),
        ("CFBundleVersion", upload.number, info.number),
    ):
        if declared != real:
            # General: no thread shows a code for it.
            text = f"The value for key {key} in the Info.plist file [{real}] is not the declared one [{declared}]."
            found_problems.append(("INFO_PLIST_MISMATCH", text))
    if _same_number(account, upload) is not None:
        text = (
            f"Redundant Binary Upload. You've already uploaded a build with build number '{upload.number}' for version "
            f"number '{upload.version}'. Make sure you increment the build string before you upload your app."
        )
        found_problems.append(("90189", text))
    return found_problems


def _closed(account: Account, upload: Upload) -> list[Finding]:
    """openfoodfacts/smooth-app#2745: a train is closed once its version is approved, and all below it."""
    highest = account.highest_approved(upload.app, upload.platform)
    if highest is None or ipa.order(upload.version) > ipa.order(highest):
        return []
    problems = [
        (
            "90062",
            f"This bundle is invalid. The value for key CFBundleShortVersionString [{upload.version}] in the Info.plist file "
            f"must contain a higher version than that of the previously approved version [{highest}].",
        )
    ]
    if any(upload.version == version.version for version in account.approved(upload.app, upload.platform)):
        text = f"Invalid Pre-Release Train. The train version '{upload.version}' is closed for new build submissions"
        problems.insert(0, ("90186", text))
    return problems


def _same_number(account: Account, upload: Upload) -> str | None:
    """The number, if it is used in this train.

    Each train counts for itself, and a lower number than the last is taken, whatever the message says
    (tramlinehq/store-quirks#1). A reservation that nothing was sent to, and an upload that failed, use up no number; a build
    that failed in processing does (general).
    """
    for build in account.builds.values():
        same = (build.app, build.platform, build.version) == (upload.app, upload.platform, upload.version)
        if same and _number(build.number) == _number(upload.number):
            return build.number
    return None


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")) if re.fullmatch(r"\d+(\.\d+)*", text) else ()


def _digests(file: Path) -> dict[str, str]:
    digests = {name: hashlib.new(algorithm, usedforsecurity=False) for name, algorithm in _DIGESTS.items()}
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            for digest in digests.values():
                digest.update(chunk)
    return {name: digest.hexdigest() for name, digest in digests.items()}


def of_app(account: Account, app: str) -> list[Upload]:
    """The newest first. Raises Refused 404."""
    found("apps", app, account.apps.values())
    return sorted((u for u in account.uploads.values() if u.app == app), key=lambda u: u.created, reverse=True)
