"""What others do to an app while a pipeline is at work: people in the Play Console, reviewers, users, and the network."""

from __future__ import annotations

import datetime

from rehearsal.emulators.google_play import reviews
from rehearsal.emulators.google_play.account import Account
from rehearsal.emulators.google_play.state import COMPLETED, DEPLOYER, DRAFT, App, Bundle
from rehearsal.emulators.google_play.uploads import Uploads
from rehearsal.emulators.google_play.vitals import Day, date_of


class Control:
    """Every method takes the package of the app it is about. Raises KeyError for one that is not there."""

    def __init__(self, account: Account, uploads: Uploads) -> None:
        self._account = account
        self._uploads = uploads

    # -- people

    def change(self, package: str) -> None:
        """Save something in the console: no open edit can be committed any more."""
        self._app(package).revision += 1

    def draft(self, package: str, on: bool) -> None:
        """Take the app back to before its first publication, where all is draft; or finish the first roll-out by hand."""
        app = self._app(package)
        app.draft = on
        for release in (release for releases in app.tracks.values() for release in releases):
            release.status, release.fraction = (DRAFT if on else COMPLETED), None
        app.pending.clear()
        app.live = {track: [] if on else list(releases) for track, releases in app.tracks.items()}
        self.change(package)

    def use_number(self, package: str, version_code: int, sha256: str = "0" * 64) -> None:
        """Upload a bundle by hand and release it nowhere (fastlane/fastlane#21642). That is no change of a track."""
        self._app(package).used[version_code] = Bundle(
            version_code=version_code, version_name=str(version_code), sha1="0" * 40, sha256=sha256
        )

    def keep_discarded(self, package: str, on: bool) -> None:
        """Whether numbers of bundles in edits that were never committed stay used."""
        self._app(package).keeps_discarded = on

    def upload_key(self, package: str, sha1: str) -> None:
        """Register the upload key's certificate."""
        self._app(package).upload_key = sha1

    def send_for_review(self, package: str) -> None:
        """Send the changes that were committed unsent."""
        app = self._app(package)
        reviews.send(app, now=self._account.clock(), lasts=self._account.pace.review)
        self.change(package)

    def managed_publishing(self, package: str, on: bool) -> None:
        """Whether approved changes wait for `publish`."""
        self._app(package).managed_publishing = on

    def publish(self, package: str) -> None:
        """Publish what was approved."""
        reviews.publish_approved(self._app(package))
        self.change(package)

    def permissions(self, package: str, user: str, permissions: list[str] | None = None) -> None:
        """Set what a user may do in the app: AppLevelPermissions, None for a deployer's, an empty list for nothing."""
        self._app(package)
        self._account.grant(user, package, DEPLOYER if permissions is None else frozenset(permissions))

    # -- Google

    def conclude_review(self, package: str, verdict: str) -> None:
        """End the review in progress now: "approve" or "reject"."""
        reviews.conclude(self._app(package), _known(verdict))

    def next_verdict(self, package: str, verdict: str) -> None:
        """How the review in progress, or the next, ends when its time has come."""
        self._app(package).verdict = _known(verdict)

    def expire_edits(self, package: str) -> None:
        """Let the time of every open edit be over."""
        for edit in self._app(package).edits.values():
            edit.expires = min(edit.expires, self._account.clock())

    def expire_uploads(self, package: str) -> None:
        """Let the time of every upload be over."""
        self._app(package)
        self._uploads.clear()

    def break_upload(self, package: str, at: int) -> None:
        """Break the connection that brings the byte at this offset of an upload, once."""
        self._app(package)
        self._uploads.break_at = at

    def quota(self, package: str, per_minute: int) -> None:
        """Of the whole account's questions."""
        self._app(package)
        self._account.queries_per_minute = per_minute

    # -- users

    def observe(
        self, package: str, version_code: int, users: int, crashed: int = 0, unresponsive: int = 0, days_ago: int = 3
    ) -> None:
        """What users of a version met on a day. With the default lag, three days ago is the first that can be read."""
        day = date_of(self._account.clock()) - datetime.timedelta(days=days_ago)
        self._app(package).vitals.observe(Day(day.isoformat(), version_code, users, crashed, unresponsive))

    def _app(self, package: str) -> App:
        app = self._account.apps[package]
        reviews.advance(app, self._account.clock())
        return app


def _known(verdict: str) -> str:
    if verdict not in ("approve", "reject"):
        raise ValueError(f"{verdict!r} is neither approve nor reject")
    return verdict
