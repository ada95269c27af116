"""Deliver a bundle to a track of Google Play, once: what is there already is not done again, and what a person must do is reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import ConflictError, RefusedError
from pipelines.mobile.delivered import Delivered, NumberUsed
from pipelines.providers.google_play import PlayRefused, digest

if TYPE_CHECKING:
    from pipelines.providers.google_play import Play

EDITS = 5
"""How often an edit may be overtaken by someone else's before this gives up."""
NOTES = 500
"""Characters of release notes that Play takes in one language."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A bundle, and the track it shall be on."""

    file: Path
    number: int
    version: str
    track: str
    notes: Mapping[str, str]
    """Language -> text."""

    def release(self, status: str) -> dict[str, Any]:
        """As Play requires it."""
        return {
            "name": self.version,
            "versionCodes": [str(self.number)],
            "status": status,
            "releaseNotes": [{"language": language, "text": shortened(text)} for language, text in self.notes.items()],
        }


def deliver(
    play: Play, delivery: Delivery, progress: Callable[[int, int], None] = lambda sent, size: None
) -> Delivered:
    """Upload the bundle and put it on its track; what is there already is left alone.

    Raises NumberUsed, RefusedError while earlier changes are in review, ConflictError when others were faster every time,
    PlayRefused, CredentialsError, ProviderUnavailable.
    """
    for each in play.released(delivery.track):
        if delivery.number in each.numbers:
            return Delivered(
                text=f"{delivery.number} is on {delivery.track} already ({each.state.lower().replace('_', ' ')})",
                changed=False,
                waits_for=STILL_WAITS.get(each.state, ""),
            )
    for _ in range(EDITS):
        edit = play.open()
        try:
            return _deliver(play, edit, delivery, progress)
        except PlayRefused as error:
            if not error.overtaken:
                if not error.in_review:
                    play.drop(edit)
                raise _explained(error, delivery) from error
    raise ConflictError(
        f"someone else changed the app {EDITS} times while this was going on",
        where=f"Google Play, {play.package}",
        next_step="let other releases and people in the console finish, then run this again",
    )


def _deliver(play: Play, edit: str, delivery: Delivery, progress: Callable[[int, int], None]) -> Delivered:
    if play.committed(edit, delivery.track).get(delivery.number) == "draft":
        play.drop(edit)
        message = f"{delivery.number} is a draft on {delivery.track} already"
        return Delivered(text=message, changed=False, waits_for=DRAFT_APP)
    _upload(play, edit, delivery, progress)
    play.put(edit, delivery.track, delivery.release("completed"))
    try:
        play.commit(edit)
    except PlayRefused as error:
        if error.draft_app:
            play.put(edit, delivery.track, delivery.release("draft"))
            play.commit(edit)
            return Delivered(text=f"{delivery.number} is a draft on {delivery.track}", waits_for=DRAFT_APP)
        if error.needs_a_person:
            play.commit(edit, sent_by_a_person=True)
            return Delivered(text=f"{delivery.number} is on {delivery.track}, not sent for review", waits_for=NOT_SENT)
        raise
    return Delivered(text=f"{delivery.number} is on {delivery.track}")


def _upload(play: Play, edit: str, delivery: Delivery, progress: Callable[[int, int], None]) -> None:
    """Nothing when Play has this very bundle."""
    ours = digest(delivery.file)
    there = next((each for each in play.bundles(edit) if each.number == delivery.number), None)
    if there is None:
        try:
            there = play.upload(edit, delivery.file, progress)
        except PlayRefused as error:
            if error.number_used:
                play.drop(edit)
                raise NumberUsed(
                    delivery.number, "Google Play", "another bundle has it, also one that was discarded"
                ) from error
            raise
    if there.number != delivery.number:
        play.drop(edit)
        raise RefusedError(
            f"the bundle is number {there.number}, not {delivery.number}",
            where=delivery.file.name,
            why="it was built with another app.json than the one that was made for it",
            next_step="run the release again from its build",
        )
    if there.sha256 != ours:
        play.drop(edit)
        raise NumberUsed(delivery.number, "Google Play", "another bundle has it")


DRAFT_APP = "the app was never released: Play Console → Testing → Internal testing → the draft → Review and roll out; once, by hand"
NOT_SENT = (
    "Play Console → Publishing overview → Send changes for review: Play requires a person to do it after a rejection"
)
STILL_WAITS = {
    "DRAFT": DRAFT_APP,
    "NOT_SENT_FOR_REVIEW": NOT_SENT,
    "IN_REVIEW": "Google's review, of hours to days",
    "APPROVED_NOT_PUBLISHED": "Play Console → Publishing overview → Publish changes: managed publishing is on",
    "NOT_APPROVED": "an answer to Google, which rejected it: Play Console → Publishing overview says why",
}
"""State of a release -> what someone else must do until users get it."""


def _explained(error: PlayRefused, delivery: Delivery) -> RefusedError | PlayRefused:
    if not error.in_review:
        return error
    return RefusedError(
        "earlier changes of the app are in review",
        where="Google Play",
        why="to send more now would cancel that review and begin another",
        next_step=f"run this again when it has ended; {delivery.number} is uploaded in an edit that may still be valid then",
    )


def shortened(text: str) -> str:
    """Release notes within Play's limit, cut at a line where one ends in time."""
    if len(text) <= NOTES:
        return text
    cut = text[: NOTES - 1]
    line = cut.rfind("\n")
    return (cut[:line] if line > NOTES // 2 else cut).rstrip() + "…"
