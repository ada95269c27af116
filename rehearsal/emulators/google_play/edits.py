"""Edits: opened, filled, checked, committed or dropped."""

from __future__ import annotations

import copy
import secrets

from rehearsal.android_bundle import BundleManifest
from rehearsal.emulators.google_play import errors, reviews, tracks
from rehearsal.emulators.google_play.account import Account
from rehearsal.emulators.google_play.state import App, Bundle, Edit, codes

HIGHEST_CODE = 2_100_000_000
_DIGITS = 20


def opened(account: Account, app: App, owner: str) -> Edit:
    """A new edit. One that the same user has open is deleted by it (googleapis/google-api-nodejs-client#820)."""
    for other in app.edits.values():
        if other.owner == owner and not other.end:
            other.end = "deleted"
    edit = Edit(
        id=str(secrets.randbelow(10**_DIGITS)).zfill(_DIGITS),
        owner=owner,
        based_on=app.revision,
        expires=float(int(account.clock() + account.pace.edit)),
        tracks=copy.deepcopy(app.tracks),
    )
    app.edits[edit.id] = edit
    return edit


def found(account: Account, app: App, number: str) -> Edit:
    """An edit that can still be committed. Raises PlayError: where it cannot, the whole edit has to be started again."""
    edit = existing(account, app, number)
    if edit.based_on != app.revision:
        raise errors.edit_overtaken()
    return edit


def existing(account: Account, app: App, number: str) -> Edit:
    """An edit that was not ended, although it may be overtaken. Raises PlayError."""
    edit = app.edits.get(number)
    if edit is None:
        raise errors.edit_not_found()
    if edit.end:
        raise errors.edit_deleted() if edit.end == "deleted" else errors.edit_committed()
    if edit.expires <= account.clock():
        raise errors.edit_expired()
    return edit


def take_bundle(app: App, edit: Edit, manifest: BundleManifest, sha1: str, sha256: str) -> Bundle:
    """Add an uploaded bundle to an edit. Raises PlayError. A number is refused also for the very same file."""
    code = manifest.version_code
    if manifest.package != app.package:
        raise errors.wrong_package()
    if manifest.signer is None:
        raise errors.not_signed()
    if app.upload_key not in (None, manifest.signer):
        raise errors.wrong_key(manifest.signer, str(app.upload_key))
    if code > HIGHEST_CODE:
        raise errors.too_high(code, HIGHEST_CODE)
    if code in app.used or code in edit.bundles:
        raise errors.already_used(code)
    bundle = Bundle(version_code=code, version_name=manifest.version_name, sha1=sha1, sha256=sha256)
    edit.bundles[code] = bundle
    app.upload_key = manifest.signer
    if app.keeps_discarded:
        app.used[code] = bundle
    return bundle


def current_bundles(app: App, edit: Edit) -> list[Bundle]:
    """Those of the edit, of its tracks, and of what users have; never all that were uploaded."""
    current = set(edit.bundles)
    for releases in (*edit.tracks.values(), *app.live.values()):
        current |= codes(releases)
    known = {**app.used, **edit.bundles}
    return [known[code] for code in sorted(current) if code in known]


def validate(app: App, edit: Edit) -> None:
    """Raises PlayError with the first problem that a commit would refuse in the edit itself."""
    refused = next(tracks.refusals(app, edit), None)
    if refused is not None:
        raise refused


def commit(account: Account, app: App, edit: Edit, *, unsent: bool, error_if_in_review: bool) -> None:
    """Make an edit's changes the app's. Raises PlayError, and then the edit can still be committed.

    `unsent` is changesNotSentForReview; false means the same as leaving it out (r0adkll/upload-google-play sends it always).
    """
    validate(app, edit)
    if unsent and not app.rejected:
        raise errors.are_sent_automatically()
    if app.rejected and not unsent:
        raise errors.must_not_be_sent()
    if error_if_in_review and reviews.under_review(app):
        raise errors.in_review()
    app.used.update(edit.bundles)
    edit.end = "committed"
    reviews.commit(app, copy.deepcopy(edit.tracks), unsent=unsent, now=account.clock(), lasts=account.pace.review)
