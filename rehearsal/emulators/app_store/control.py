"""What a world, not a client, makes happen at Apple: one path, for the world's own port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.app_store.model import Plan, Review
from rehearsal.emulators.app_store.state import Account

PATH = "/_control/app-store"


def control(account: Account) -> Starlette:
    """POST {"do": name, …}; 204, or 422 with what is wrong.

    `pass` seconds; `next_upload` state, errors, warnings, appear, detail, hidden (model.Plan); `next_review` outcome;
    `decide` outcome, of every review that is not over; `show_builds`, those that were hidden; `agreements` missing;
    `publish` version, number; `signing_expires` seconds from now.
    """
    return Starlette(routes=[Route(PATH, _Controls(account).post, methods=["POST"])])


class _Controls:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._known: dict[str, Callable[..., None]] = {
            "pass": lambda seconds: account.skip(float(seconds)),
            "next_upload": self._next_upload,
            "next_review": lambda outcome: account.next_reviews.append(_outcome(outcome)),
            "decide": self._decide,
            "show_builds": self._show_builds,
            "agreements": self._agreements,
            "publish": self._publish,
            "signing_expires": self._signing_expires,
        }

    async def post(self, request: Request) -> Response:
        try:
            sent: dict[str, Any] = await request.json()
            self._known[sent.pop("do")](**sent)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            known = ", ".join(self._known)
            return JSONResponse({"message": f"not understood ({error}); known are {known}"}, 422)
        return Response(status_code=204)

    def _next_upload(self, **plan: Any) -> None:
        for name in {"errors", "warnings"} & set(plan):
            plan[name] = [(code, text) for code, text in plan[name]]
        self._account.next_uploads.append(Plan(**plan))

    def _decide(self, outcome: str) -> None:
        for review in self._open():
            self._account.decide(review, _outcome(outcome))

    def _open(self) -> list[Review]:
        account = self._account
        reviews = [s.review for s in account.beta_submissions.values()]
        reviews += [s.review for s in account.submissions.values() if s.review is not None and not s.canceled]
        return [review for review in reviews if review.ends > account.now()]

    def _show_builds(self) -> None:
        for build in self._account.builds.values():
            if build.appears is None:
                self._account.show_build(build)

    def _agreements(self, missing: bool) -> None:
        self._account.agreements_missing = missing

    def _publish(self, version: str, number: str = "1") -> None:
        self._account.publish(version, number=number)

    def _signing_expires(self, seconds: float) -> None:
        at = self._account.now() + seconds
        for certificate in self._account.certificates.values():
            certificate.expires = at
        for profile in self._account.profiles.values():
            profile.expires = at


def _outcome(text: str) -> str:
    if text not in ("APPROVED", "REJECTED"):
        raise ValueError(f"{text!r} is neither APPROVED nor REJECTED")
    return text
