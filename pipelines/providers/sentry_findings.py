"""What `shipmate doctor` finds at the error trackers that sites name: whether a token may bring source maps there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from pipelines.errors import CredentialsError, ProviderError, ProviderUnavailable
from pipelines.findings import Finding
from pipelines.providers.sentry_api import PUBLISHING
from pipelines.providers.sentry_source_maps import SentrySourceMaps

if TYPE_CHECKING:
    from pipelines.http import Http
    from pipelines.manifest import Manifest


def look(manifest: Manifest, environments: Collection[str], http: Http, token: str) -> Iterator[Finding]:
    """One finding for each component with a tracker that lives in one of these environments. `token`: of this terminal, since what
    GitHub holds cannot be read."""
    for name, component in manifest.components.items():
        tracker = component.error_tracker
        if tracker is None or not any(name in manifest.environments[each].targets for each in environments):
            continue
        subject = f"Sentry, {name}: {tracker.organization}/{tracker.project}"
        if not token:
            says = f"whether a token may bring source maps there is asked with {PUBLISHING.secret} of this terminal, which is not set"
            yield Finding(subject=subject, state="unknown", says=says)
            continue
        section = f"components/{name}/error_tracker"
        try:
            SentrySourceMaps(tracker, http, token, section=section).require_upload_permission()
        except (CredentialsError, ProviderError) as error:
            yield Finding(
                subject=subject, state="missing", says=f"takes no source maps: {error.what}", fix=error.next_step
            )
        except ProviderUnavailable as error:
            yield Finding(subject=subject, state="unknown", says=f"cannot be read: {error.what}")
        else:
            yield Finding(subject=subject, state="ok", says="takes source maps from this terminal's token")
