"""What a commit brings to users at once, and what waits for Google's review.

That testing on the internal track needs no review, and that the others do, is documented by Google; that a review is only
of numbers that are new to the track (not of a wider, halted or completed roll-out) is general knowledge.
"""

from __future__ import annotations

from rehearsal.emulators.google_play.state import DRAFT, INTERNAL, App, Release, Tracks, codes

UNSENT, IN_REVIEW, APPROVED, REJECTED, PUBLISHED = (
    "RELEASE_LIFECYCLE_STATE_NOT_SENT_FOR_REVIEW",
    "RELEASE_LIFECYCLE_STATE_IN_REVIEW",
    "RELEASE_LIFECYCLE_STATE_APPROVED_NOT_PUBLISHED",
    "RELEASE_LIFECYCLE_STATE_NOT_APPROVED",
    "RELEASE_LIFECYCLE_STATE_PUBLISHED",
)


def under_review(app: App) -> bool:
    """Whether changes are in review."""
    return IN_REVIEW in app.pending.values()


def commit(app: App, tracks: Tracks, *, unsent: bool, now: float, lasts: float) -> None:
    """Make `tracks` the committed ones. What needs a review is sent, together with what waited or was in review."""
    changed = [track for track, releases in tracks.items() if releases != app.tracks[track]]
    app.tracks = tracks
    app.revision += 1
    for track in changed:
        app.pending.pop(track, None)
        if _needs_review(app, track):
            app.pending[track] = UNSENT
        else:
            _publish(app, track)
    if not unsent:
        send(app, now=now, lasts=lasts)


def send(app: App, *, now: float, lasts: float) -> None:
    """Send all that is not live for review; one in progress ends and begins again with it."""
    waiting = [track for track, state in app.pending.items() if state != APPROVED]
    app.pending.update(dict.fromkeys(waiting, IN_REVIEW))
    app.review_due = now + lasts if waiting else None


def advance(app: App, now: float) -> None:
    """End the review in progress when its time has come."""
    if app.review_due is not None and app.review_due <= now:
        conclude(app, app.verdict)


def conclude(app: App, verdict: str) -> None:
    """The reviewer's word: "approve" or "reject"."""
    reviewed = [track for track, state in app.pending.items() if state == IN_REVIEW]
    app.review_due, app.verdict = None, "approve"
    app.rejected = verdict == "reject"
    for track in reviewed:
        app.pending[track] = REJECTED if app.rejected else APPROVED
    if not app.managed_publishing:
        publish_approved(app)


def publish_approved(app: App) -> None:
    """Give users what was approved."""
    for track in [track for track, state in app.pending.items() if state == APPROVED]:
        _publish(app, track)


def summaries(app: App, track: str) -> list[tuple[Release, str]]:
    """(release, lifecycle state) of what is served in a track or on its way there. Drafts and obsolete ones are left out."""
    waiting = app.pending.get(track)
    served = [(release, PUBLISHED) for release in app.live[track]]
    if waiting is None:
        return served
    known = codes(app.live[track])
    coming = [r for r in app.tracks[track] if r.status != DRAFT and not known.issuperset(r.version_codes)]
    return [(release, waiting) for release in coming] + served


def _needs_review(app: App, track: str) -> bool:
    return track != INTERNAL and not codes(app.tracks[track], but=DRAFT) <= codes(app.live[track])


def _publish(app: App, track: str) -> None:
    app.pending.pop(track, None)
    app.live[track] = [release for release in app.tracks[track] if release.status != DRAFT]
