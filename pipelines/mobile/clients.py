"""Clients of what the apps live with, made of the manifest and of the secrets that a command or a job was given."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.errors import InputError

if TYPE_CHECKING:
    from pipelines.http import Http
    from pipelines.manifest import Manifest
    from pipelines.manifest.mobile import AppStore as AppStoreSettings
    from pipelines.manifest.mobile import Mobile, PlayStore
    from pipelines.mobile.promotion import Promotions
    from pipelines.mobile.watch import HealthReports
    from pipelines.providers.app_store import AppStore
    from pipelines.providers.google_play import Play
    from pipelines.providers.play_vitals import Vitals
    from pipelines.providers.sentry_api import Source
    from pipelines.providers.sentry_sessions import SentrySessions

EXPO_TOKEN = "EXPO_TOKEN"  # noqa: S105 - the name of a secret, not one
APP_STORE_KEY = "APP_STORE_KEY"
SENTRY_READ_TOKEN = "SENTRY_READ_TOKEN"  # noqa: S105 - the name of a secret, not one


@dataclass(frozen=True, kw_only=True)
class Access:
    """What reaches EAS, the stores and Sentry. A missing secret is reported by the first call that needs it."""

    http: Http
    expo_token: str = field(default="", repr=False)
    app_store_key: str = field(default="", repr=False)
    sentry_token: str = field(default="", repr=False)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    """Of the job or terminal: how Google is reached from there."""
    mask: Callable[[str], None] = lambda value: None


def of_terminal(
    http: Http, environ: Mapping[str, str] = os.environ, mask: Callable[[str], None] = lambda value: None
) -> Access:
    """EXPO_TOKEN, APP_STORE_KEY, SENTRY_READ_TOKEN, and Google's default credentials or GOOGLE_OAUTH_ACCESS_TOKEN."""
    return Access(
        http=http,
        expo_token=environ.get(EXPO_TOKEN, ""),
        app_store_key=environ.get(APP_STORE_KEY, ""),
        sentry_token=environ.get(SENTRY_READ_TOKEN, ""),
        environ=environ,
        mask=mask,
    )


def apps(manifest: Manifest) -> Mobile:
    """The section of the apps. Raises InputError where there is none."""
    if manifest.mobile is None:
        raise InputError(
            "there are no apps here",
            where=manifest.file.name,
            next_step="declare `mobile:` (docs/MOBILE.md); `shipmate manifest explain` shows its keys",
        )
    return manifest.mobile


def google(settings: PlayStore, access: Access) -> Callable[[], str]:
    """Gives access tokens of the app's service account, for Play and its vitals; each is hidden in the log.

    In a workflow by OIDC: the job needs `id-token: write`. Nothing is fetched before a token is asked for.
    """
    from pipelines.manifest.model import Deployer
    from pipelines.providers import google_play, play_vitals
    from pipelines.providers.google_auth import GoogleAuth

    who = Deployer(workload_identity=settings.workload_identity, service_account=settings.service_account)
    scopes = (google_play.SCOPE, play_vitals.SCOPE)
    return GoogleAuth(access.http, who, scopes=scopes, environ=access.environ, mask=access.mask)


def play(settings: PlayStore, access: Access, *, token: Callable[[], str] | None = None) -> Play:
    """The app on Google Play; `token` as `google` makes it."""
    from pipelines.providers.google_play import Play

    return Play(access.http, token or google(settings, access), settings.package)


def vitals(settings: PlayStore, access: Access, *, token: Callable[[], str] | None = None) -> Vitals:
    """What Play measured of the app; `token` as `google` makes it."""
    from pipelines.providers.play_vitals import Vitals

    return Vitals(access.http, token or google(settings, access), settings.package)


def app_store(settings: AppStoreSettings, access: Access) -> AppStore:
    """The app on App Store Connect. A wrong key is reported by the first call."""
    from pipelines.providers.app_store import AppStore

    return AppStore(
        access.http, app=settings.app, issuer=settings.issuer, key=settings.key, secret=access.app_store_key
    )


def sentry(manifest: Manifest, access: Access) -> SentrySessions | None:
    """The sessions that the apps report; None where nothing says where. A wrong token is reported by the first call."""
    from pipelines.providers.sentry_sessions import SentrySessions

    source = reported_to(manifest)
    section = "mobile/reports" if apps(manifest).reports is not None else "performance/app_starts"
    return SentrySessions(source, access.http, access.sentry_token, section=section) if source is not None else None


def reported_to(manifest: Manifest) -> Source | None:
    """The project at Sentry that the apps report to; None where nothing says which."""
    return apps(manifest).reports or manifest.performance.app_starts


def health(manifest: Manifest, access: Access, *, vitals_of: Vitals | None = None) -> HealthReports:
    """How builds do on phones: sessions at Sentry, and with `vitals_of` Play's vitals."""
    from pipelines.mobile.watch import HealthReports

    sessions = sentry(manifest, access)
    return HealthReports(watch=apps(manifest).watch, sessions=sessions, vitals=vitals_of)


def promotions(manifest: Manifest, access: Access) -> Promotions:
    """Of the apps that the manifest declares. Nothing is asked of anybody yet."""
    from pipelines.mobile.promotion import Promotions
    from pipelines.mobile.promotion_app_store import AppStorePromotion
    from pipelines.mobile.promotion_play import PlayPromotion

    mobile, made = apps(manifest), Promotions()
    if mobile.android is not None:
        android = mobile.android
        token = google(android, access)
        watched = health(manifest, access, vitals_of=vitals(android, access, token=token))
        made.android = PlayPromotion(
            play=play(android, access, token=token),
            settings=android,
            health=lambda build: watched.health(android.package, build.version, build.number),
        )
    if mobile.ios is not None:
        ios, message = mobile.ios, health(manifest, access)
        made.ios = AppStorePromotion(
            store=app_store(ios, access),
            settings=ios,
            health=lambda build: message.health(ios.bundle, build.version, build.number),
        )
    return made
