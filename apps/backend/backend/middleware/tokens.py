"""Headers by which the delivery suite makes itself known."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Scope


def takes_token(scope: Scope, header: str, token: str | None) -> bool:
    """Whether a request carries `token` in `header`. Without a token nobody's word is taken.

    The header is taken out of `scope`, which reports of errors show.
    """
    given = Headers(scope=scope).get(header)
    if given is None:
        return False
    del MutableHeaders(scope=scope)[header]
    return token is not None and hmac.compare_digest(given.encode("latin-1"), token.encode())
