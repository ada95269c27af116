"""Clients of what the apps live with, made of the manifest and of the secrets that a command or a job was given."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.http import Http
    from pipelines.manifest.mobile import AppStore as AppStoreSettings
    from pipelines.manifest.mobile import PlayStore
    from pipelines.manifest.performance import AppStarts
    from pipelines.providers.app_store import AppStore
    from pipelines.providers.google_play import Play
    from pipelines.providers.play_vitals import Vitals
    from pipelines.providers.sentry_sessions import SentrySessions

APP_STORE_KEY = "APP_STORE_KEY"
SENTRY_READ_TOKEN = "SENTRY_READ_TOKEN"  # noqa: S105 - the name of a secret, not one


def google(
    settings: PlayStore,
    http: Http,
    *,
    environ: Mapping[str, str] = os.environ,
    mask: Callable[[str], None] = lambda value: None,
) -> Callable[[], str]:
    """Gives access tokens of the app's service account, for Play and its vitals; `mask` hides each in the log.

    In a workflow by OIDC: the job needs `id-token: write`. Nothing is fetched before a token is asked for.
    """
    from pipelines.manifest.model import Deployer
    from pipelines.providers import google_play, play_vitals
    from pipelines.providers.google_auth import GoogleAuth

    who = Deployer(workload_identity=settings.workload_identity, service_account=settings.service_account)
    return GoogleAuth(http, who, scopes=(google_play.SCOPE, play_vitals.SCOPE), environ=environ, mask=mask)


def play(settings: PlayStore, http: Http, token: Callable[[], str]) -> Play:
    """The app on Google Play; `token` as `google` makes it."""
    from pipelines.providers.google_play import Play

    return Play(http, token, settings.package)


def vitals(settings: PlayStore, http: Http, token: Callable[[], str]) -> Vitals:
    """What Play measured of the app; `token` as `google` makes it."""
    from pipelines.providers.play_vitals import Vitals

    return Vitals(http, token, settings.package)


def app_store(settings: AppStoreSettings, http: Http, secret: str) -> AppStore:
    """The app on App Store Connect; `secret` is the text of the key's file (APP_STORE_KEY). A wrong one is told by the first call."""
    from pipelines.providers.app_store import AppStore

    return AppStore(http, app=settings.app, issuer=settings.issuer, key=settings.key, secret=secret)


def sentry(source: AppStarts, http: Http, token: str) -> SentrySessions:
    """The sessions that the apps report; `token` is SENTRY_READ_TOKEN. A wrong one is told by the first question."""
    from pipelines.providers.sentry_sessions import SentrySessions

    return SentrySessions(source, http, token)
