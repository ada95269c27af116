"""Who our probes are: what smoke checks and journeys send, so that a rate limit of the app knows them from its users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.delivery.context import Context

HEADER = "X-Shipmate-Probe"


def probe_headers(context: Context, component: str) -> Mapping[str, str]:
    """What our requests to a component carry: its `probe_secret`, read once by a process and masked; nothing where it has none.

    When it cannot be read they go as anybody's do, with a warning: a rate limit that then refuses them fails no check, and a release
    is not rolled back because Secret Manager is away.
    """
    known = context.probe_headers
    if component not in known:
        known[component] = _read(context, component)
    return known[component]


def _read(context: Context, component: str) -> Mapping[str, str]:
    from pipelines.providers import secret_manager

    target = context.target(component)
    if target.probe_secret is None:
        return {}
    try:
        token = secret_manager.access(context.http, context.credentials, target.project, target.probe_secret).strip()
    except ShipmateError as error:
        context.runtime.annotate("warning", f"checks of {component} go without an identity: {error}", title="Probes")
        return {}
    context.runtime.mask(token)
    return {HEADER: token}
