"""HTTP beside the mail server: GET /mails shows what came, DELETE forgets it."""

from __future__ import annotations

from dataclasses import asdict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.smtp.state import Mailbox


def app(mailbox: Mailbox) -> Starlette:
    """The mails of a mailbox."""

    async def mails(request: Request) -> Response:
        if request.method == "DELETE":
            mailbox.mails.clear()
        return JSONResponse([asdict(mail) for mail in mailbox.mails])

    return Starlette(routes=[Route("/mails", mails, methods=["GET", "DELETE"])])
