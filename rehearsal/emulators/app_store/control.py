"""What Apple and people at App Store Connect do while a pipeline is at work."""

from __future__ import annotations

from typing import Any

from rehearsal.emulators.app_store.model import Plan, Review
from rehearsal.emulators.app_store.state import Account


class Control:
    """Each method is one event at the provider. Raises KeyError, ValueError, TypeError."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def skip(self, seconds: float) -> None:
        """Let time pass at Apple."""
        self._account.skip(float(seconds))

    def next_review(self, outcome: str) -> None:
        """How the next review ends: APPROVED or REJECTED."""
        self._account.next_reviews.append(_outcome(outcome))

    def next_upload(self, **plan: Any) -> None:
        """What becomes of the next upload: state, errors, warnings, appear, detail, hidden (model.Plan)."""
        for name in {"errors", "warnings"} & set(plan):
            plan[name] = [(code, text) for code, text in plan[name]]
        self._account.next_uploads.append(Plan(**plan))

    def decide(self, outcome: str) -> None:
        """Of every review that is not over."""
        for review in self._open():
            self._account.decide(review, _outcome(outcome))

    def _open(self) -> list[Review]:
        account = self._account
        reviews = [s.review for s in account.beta_submissions.values()]
        reviews += [s.review for s in account.submissions.values() if s.review is not None and not s.canceled]
        return [review for review in reviews if review.ends > account.now()]

    def show_builds(self) -> None:
        """Those that were hidden."""
        for build in self._account.builds.values():
            if build.appears is None:
                self._account.show_build(build)

    def agreements(self, missing: bool) -> None:
        self._account.agreements_missing = missing

    def publish(self, version: str, number: str = "1") -> None:
        self._account.publish(version, number=number)

    def signing_expires(self, seconds: float) -> None:
        """Of every certificate and profile, seconds from now."""
        at = self._account.now() + seconds
        for certificate in self._account.certificates.values():
            certificate.expires = at
        for profile in self._account.profiles.values():
            profile.expires = at


def _outcome(text: str) -> str:
    if text not in ("APPROVED", "REJECTED"):
        raise ValueError(f"{text!r} is neither APPROVED nor REJECTED")
    return text
