"""The state as Apple's resources: which there are, and each by its id."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.emulators.app_store import build_views, store, store_views, submissions, uploads
from rehearsal.emulators.app_store.model import App
from rehearsal.emulators.app_store.resource import Link, Resource
from rehearsal.emulators.app_store.state import Account, found


class Views:
    """Resources of one account, at the time they are asked for."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def find(self, link: Link) -> Resource:
        """Raises Refused 404."""
        kind, identifier = link
        if kind == "builds":
            return build_views.build(self._account, self._account.build(identifier))
        return found(kind, identifier, self.all(kind))

    def all(self, kind: str) -> list[Resource]:
        """Every resource of a type, in Apple's order (builds: the newest first)."""
        account = self._account
        made: dict[str, Callable[[], list[Resource]]] = {
            "apps": lambda: [self._app(app) for app in account.apps.values()],
            "builds": lambda: [build_views.build(account, one) for one in account.visible_builds()],
            "buildUploads": lambda: [build_views.upload(account, one) for one in account.uploads.values()],
            "buildUploadFiles": lambda: [build_views.file(one) for one in account.files.values()],
            "preReleaseVersions": lambda: build_views.trains(account),
            "buildBetaDetails": lambda: build_views.details(account),
            "betaGroups": lambda: [build_views.group(account, one) for one in account.groups.values()],
            "betaBuildLocalizations": lambda: [build_views.build_notes(one) for one in account.build_notes.values()],
            "betaAppReviewSubmissions": lambda: [
                build_views.beta_submission(account, one) for one in account.beta_submissions.values()
            ],
            "appStoreVersions": lambda: [store_views.version(account, one) for one in account.versions.values()],
            "appStoreVersionLocalizations": lambda: [
                store_views.version_notes(one) for one in account.version_notes.values()
            ],
            "appStoreVersionPhasedReleases": lambda: [
                store_views.phased_release(account, one) for one in account.phased.values()
            ],
            "reviewSubmissions": lambda: [
                store_views.submission(account, one) for one in reversed(account.submissions.values())
            ],
            "reviewSubmissionItems": lambda: [
                store_views.item(account, submission, item)
                for submission in account.submissions.values()
                for item in submission.items
            ],
            "certificates": lambda: [store_views.certificate(one) for one in account.certificates.values()],
            "profiles": lambda: [store_views.profile(account, one) for one in account.profiles.values()],
        }
        return made[kind]()

    def _app(self, app: App) -> Resource:
        account = self._account
        return Resource(
            type="apps",
            id=app.id,
            attributes={"name": app.name, "bundleId": app.bundle, "sku": app.bundle, "primaryLocale": app.locale},
            many={
                "builds": [("builds", b.id) for b in account.visible_builds() if b.app == app.id],
                "buildUploads": [("buildUploads", u.id) for u in uploads.of_app(account, app.id)],
                "betaGroups": [("betaGroups", g.id) for g in account.groups.values() if g.app == app.id],
                "preReleaseVersions": [
                    _link(train) for train in build_views.trains(account) if train.one["app"] == ("apps", app.id)
                ],
                "appStoreVersions": [("appStoreVersions", v.id) for v in store.of_app(account, app.id)],
                "reviewSubmissions": [("reviewSubmissions", s.id) for s in submissions.of_app(account, app.id)],
            },
        )


def _link(resource: Resource) -> Link:
    return resource.type, resource.id
