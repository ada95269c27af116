"""Inputs of the actions that talk to the stores of the apps, and the access they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.runtime import Input, Runtime

if TYPE_CHECKING:
    from pipelines.mobile.clients import Access

STORES = (
    Input(
        name="app_store_key", doc="Private part of the App Store Connect API key, where the app is there.", secret=True
    ),
    Input(name="sentry_token", doc="Sentry token with the scope org:read.", secret=True),
)


def access(runtime: Runtime, values: Mapping[str, str]) -> Access:
    """What reaches the stores from this job: Google by its identity token, the others by secrets."""
    from pipelines.http import Http
    from pipelines.mobile.clients import Access

    return Access(
        http=Http(),
        app_store_key=values["app_store_key"],
        sentry_token=values["sentry_token"],
        environ=runtime.environ,
        mask=runtime.mask,
    )
