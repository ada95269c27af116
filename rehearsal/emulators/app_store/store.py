"""App Store versions: what they are at a time, and what may be changed in which state."""

from __future__ import annotations

from rehearsal.emulators.app_store import ipa
from rehearsal.emulators.app_store.errors import Refused, invalid, unrelated, used, wrong_state
from rehearsal.emulators.app_store.model import App, Notes, StoreVersion
from rehearsal.emulators.app_store.state import Account, found, new_id
from rehearsal.emulators.app_store.testflight import is_expired, processing_state

EDITABLE = ("PREPARE_FOR_SUBMISSION", "DEVELOPER_REJECTED", "REJECTED", "READY_FOR_REVIEW")
_FINAL = ("READY_FOR_SALE", "REPLACED_WITH_NEW_VERSION")


def live_since(account: Account, version: StoreVersion) -> float | None:
    """When it went, or will go, on sale; None while nobody can say."""
    review = version.review
    if review is None or review.outcome != "APPROVED":
        return None
    if version.release_type == "MANUAL":
        return version.requested
    if version.release_type == "SCHEDULED":
        return max(review.ends, version.earliest or review.ends)
    return review.ends


def is_live(account: Account, version: StoreVersion) -> bool:
    """On sale, or replaced since."""
    since = live_since(account, version)
    return since is not None and since <= account.now()


def state(account: Account, version: StoreVersion) -> str:
    """One of AppStoreVersionState. PROCESSING_FOR_APP_STORE and what Apple's people do by hand are not emulated."""
    review, now = version.review, account.now()
    if review is None:
        if version.withdrawn:
            return "DEVELOPER_REJECTED"
        return "READY_FOR_REVIEW" if _is_item(account, version) else "PREPARE_FOR_SUBMISSION"
    if now < review.begins:
        return "WAITING_FOR_REVIEW"
    if now < review.ends:
        return "IN_REVIEW"
    if review.outcome != "APPROVED":
        return "REJECTED"
    since = live_since(account, version)
    if since is None or now < since:
        return "PENDING_DEVELOPER_RELEASE"
    return "REPLACED_WITH_NEW_VERSION" if _replaced(account, version, since) else "READY_FOR_SALE"


def _replaced(account: Account, version: StoreVersion, since: float) -> bool:
    others = (v for v in of_app(account, version.app) if v.platform == version.platform and v is not version)
    return any(is_live(account, v) and _newer(account, v, version, since) for v in others)


def _newer(account: Account, other: StoreVersion, version: StoreVersion, since: float) -> bool:
    return (live_since(account, other) or 0, ipa.order(other.version)) > (since, ipa.order(version.version))


def _is_item(account: Account, version: StoreVersion) -> bool:
    return any(
        item.version == version.id and not item.removed
        for submission in account.submissions.values()
        for item in submission.items
        if not submission.canceled and submission.review is None
    )


def of_app(account: Account, app: str) -> list[StoreVersion]:
    """The newest first. Raises Refused 404."""
    found("apps", app, account.apps.values())
    return sorted((v for v in account.versions.values() if v.app == app), key=lambda v: v.created, reverse=True)


def create(account: Account, app_id: str, platform: str, version: str) -> StoreVersion:
    """A version to prepare. Raises Refused 409: one at a time (fastlane/fastlane#18794), and each number once (#21888)."""
    if app_id not in account.apps:
        raise unrelated("app", f"There is no resource of type 'apps' with id '{app_id}'")
    mine = [v for v in of_app(account, app_id) if v.platform == platform]
    if any(v.version == version for v in mine):
        raise used("versionString", "The version number has been previously used.")
    if any(state(account, v) not in _FINAL for v in mine):
        raise unrelated("app", "You cannot create a new version of the App in the current state.")
    _check_version(account, app_id, platform, version)
    made = StoreVersion(id=new_id(), app=app_id, platform=platform, version=version, created=account.now())
    account.versions[made.id] = made
    # A new version has the languages of the last one, with empty release notes.
    for locale in _locales(account, account.apps[app_id], mine):
        notes = Notes(id=new_id(), of=made.id, locale=locale)
        account.version_notes[notes.id] = notes
    return made


def _check_version(account: Account, app: str, platform: str, version: str) -> None:
    if not ipa.is_version(version):
        raise invalid("versionString", "The version number must be a period-separated list of at most three integers.")
    highest = account.highest_approved(app, platform)
    if highest is not None and ipa.order(version) <= ipa.order(highest):
        raise invalid(
            "versionString", f"The version number must be higher than the previously approved version {highest}."
        )


def _locales(account: Account, app: App, versions: list[StoreVersion]) -> list[str]:
    last = versions[0].id if versions else ""
    return [notes.locale for notes in account.version_notes.values() if notes.of == last] or [app.locale]


def require_editable(account: Account, version: StoreVersion) -> None:
    """Raises Refused 409."""
    now = state(account, version)
    if now not in EDITABLE:
        raise wrong_state(f"The version cannot be changed in the state {now}.")


def rename(account: Account, version: StoreVersion, to: str) -> None:
    """Another number. Raises Refused 409."""
    require_editable(account, version)
    if to == version.version:
        return
    if any(v.version == to and v.platform == version.platform for v in of_app(account, version.app)):
        raise used("versionString", "The version number has been previously used.")
    _check_version(account, version.app, version.platform, to)
    version.version = to


def attach(account: Account, version: StoreVersion, build_id: str | None) -> None:
    """Choose its build, or none. Raises Refused 409 for one that is not processed or of another version."""
    require_editable(account, version)
    if build_id is None:
        version.build = None
        return
    build = next((b for b in account.visible_builds() if b.id == build_id), None)
    fits = (
        build is not None
        and (build.app, build.platform, build.version) == (version.app, version.platform, version.version)
        and processing_state(account, build) == "VALID"
        and not is_expired(account, build)
    )
    if not fits:
        raise unrelated("build", "The specified pre-release build could not be added.")
    version.build = build_id


def release(account: Account, version: StoreVersion) -> None:
    """Put an approved version on sale. Raises Refused 409."""
    if state(account, version) != "PENDING_DEVELOPER_RELEASE":
        raise wrong_state(f"The version cannot be released in the state {state(account, version)}.")
    version.release_type, version.requested = "MANUAL", account.now()


def delete(account: Account, version: StoreVersion) -> None:
    """Raises Refused 409."""
    if state(account, version) not in ("PREPARE_FOR_SUBMISSION", "DEVELOPER_REJECTED", "REJECTED"):
        raise wrong_state(f"The version cannot be deleted in the state {state(account, version)}.")
    del account.versions[version.id]
    account.version_notes = {n.id: n for n in account.version_notes.values() if n.of != version.id}
    account.phased = {p.id: p for p in account.phased.values() if p.version != version.id}


# release notes ----------------------------------------------------------------------------------------------------------


def add_notes(account: Account, version_id: str, locale: str, texts: dict[str, str]) -> Notes:
    """Raises Refused 409 when the language is there (rorkai/App-Store-Connect-CLI#2583)."""
    version = account.versions.get(version_id)
    if version is None:
        raise unrelated("appStoreVersion", f"There is no resource of type 'appStoreVersions' with id '{version_id}'")
    if any(notes.of == version_id and notes.locale == locale for notes in account.version_notes.values()):
        raise used("locale", f"Entity with locale: {locale} already exists. Try updating.")
    notes = Notes(id=new_id(), of=version_id, locale=locale)
    write_notes(account, notes, texts)
    account.version_notes[notes.id] = notes
    return notes


def write_notes(account: Account, notes: Notes, texts: dict[str, str]) -> None:
    """Change texts. Raises Refused 409: a first version has nothing new (general: the sentence is fastlane's users')."""
    version = account.versions[notes.of]
    require_editable(account, version)
    if "whatsNew" in texts and not account.approved(version.app, version.platform):
        raise Refused(
            409,
            "STATE_ERROR",
            "Attribute cannot be edited at this time",
            "Attribute 'whatsNew' cannot be edited at this time",
            source={"pointer": "/data/attributes/whatsNew"},
        )
    notes.texts.update(texts)
