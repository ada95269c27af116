"""The `mobile:` section of shipmate.yml: the app, its project at Expo, and its places in the stores. All of it is policy."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Literal

from pipelines.manifest import error_tracker
from pipelines.manifest.metadata import policy_key

Platform = Literal["android", "ios"]


@dataclass(frozen=True, kw_only=True)
class Eas:
    """The app's project at Expo. Builds run the commit's code there, so its token stands alone in its GitHub environment."""

    account: str = field(metadata=policy_key("The account that owns the project: `owner` of app.json.", "techmate"))
    slug: str = field(metadata=policy_key("The project's slug, as in app.json.", "techmate"))
    project: str = field(
        metadata=policy_key(
            "The project's id: `extra.eas.projectId` of app.json.", "00000000-0000-0000-0000-000000000000"
        )
    )
    profile: str = field(default="production", metadata=policy_key("Profile of eas.json that builds for the stores."))
    environment: str = field(
        default="mobile-build",
        metadata=policy_key(
            "GitHub environment that holds EXPO_TOKEN and nothing else, and admits the app's tags alone."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class PlayStore:
    """The app on Google Play."""

    package: str = field(metadata=policy_key("Its name there: `android.package` of app.json.", "ai.techmate.app"))
    track: str = field(default="internal", metadata=policy_key("Track that a tag delivers to."))
    rollout: tuple[int, ...] = field(
        default=(5, 20, 100),
        metadata=policy_key(
            "Per cent of users by which a promotion to production goes: it begins with the first, and each scheduled run takes one more, "
            "as long as `watch` allows. Empty: with 100, at once."
        ),
    )
    languages: tuple[str, ...] = field(default=("en-US",), metadata=policy_key("Of the release notes."))
    workload_identity: str = field(metadata=policy_key("As of an environment's deployer: the audience at Google."))
    service_account: str = field(
        metadata=policy_key("Account to become; it is a user in the Play Console, with the right to release this app.")
    )
    environment: str = field(
        default="mobile-stores",
        metadata=policy_key("GitHub environment of the job that delivers; it admits the app's tags alone."),
    )


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Beta groups of TestFlight, by name."""

    internal: tuple[str, ...] = field(default=(), metadata=policy_key("Testers of the team: they get a build at once."))
    external: tuple[str, ...] = field(default=(), metadata=policy_key("Others: they get a build after a beta review."))


@dataclass(frozen=True, kw_only=True)
class AppStore:
    """The app on App Store Connect."""

    bundle: str = field(metadata=policy_key("Its bundle id: `ios.bundleIdentifier` of app.json.", "ai.techmate.app"))
    app: str = field(metadata=policy_key("Its Apple id, a number.", "6471234567"))
    issuer: str = field(metadata=policy_key("Issuer id of the API key.", "00000000-0000-0000-0000-000000000000"))
    key: str = field(
        metadata=policy_key("Id of the API key whose private part is the secret APP_STORE_KEY.", "2X9R4HXF34")
    )
    groups: Groups = field(default=Groups(), metadata=policy_key("Who tests it."))
    languages: tuple[str, ...] = field(default=("en-US",), metadata=policy_key("Of the notes that testers are shown."))
    encryption: bool = field(
        default=False,
        metadata=policy_key(
            "Whether it uses encryption that is not exempt, where the build does not say (ITSAppUsesNonExemptEncryption)."
        ),
    )
    environment: str = field(
        default="mobile-stores",
        metadata=policy_key("GitHub environment that holds APP_STORE_KEY, and admits the app's tags alone."),
    )


@dataclass(frozen=True, kw_only=True)
class AppReports:
    """Where the apps on people's phones report their sessions and crashes: a project at Sentry, which SENTRY_READ_TOKEN reads."""

    url: str = field(
        default="https://sentry.io",
        metadata=policy_key("Where the organization lives: https://us.sentry.io, https://de.sentry.io, or your own."),
    )
    organization: str = field(metadata=policy_key("As in its address.", "techmate"))
    project: str = field(metadata=policy_key("Of the app, as in its address.", "mobile"))
    environment: str = field(default="production", metadata=policy_key("What the app calls its own when it reports."))


@dataclass(frozen=True, kw_only=True)
class AppWatch:
    """How a version must do on people's phones for more of them to get it, by its sessions (`reports`) and by Play's vitals."""

    crash_free_percent: float = field(
        default=99.5,
        metadata=policy_key("Of its sessions, so many must end without a crash. Below that, a roll-out is halted."),
    )
    sessions: int = field(
        default=500, metadata=policy_key("From so many on it is judged; with fewer a roll-out is held.")
    )
    days: int = field(default=7, metadata=policy_key("How far back sessions count."))
    crashed_users_percent: float = field(
        default=1.09,
        metadata=policy_key(
            "By Play's vitals: once this share of a day's users saw a crash, a roll-out is halted. Google shows an app to fewer people "
            "from 1.09 on."
        ),
    )
    vitals: Literal["required", "when-known"] = field(
        default="required",
        metadata=policy_key(
            "Play tells nothing of the last days, nor of a version with few users. `when-known`: that holds no roll-out.",
            "when-known",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class AppPromotion:
    """Who may bring the apps from their testers to everybody, and where that runs."""

    environment: str = field(
        default="mobile-promote",
        metadata=policy_key(
            "GitHub environment of the jobs that promote; it admits the default branch alone and holds APP_STORE_KEY and SENTRY_READ_TOKEN."
        ),
    )
    approved_as: str = field(
        default="production",
        metadata=policy_key("Of `environments`: its `approval` says who lets a version into production of the stores."),
    )


@dataclass(frozen=True, kw_only=True)
class Mobile:
    """The apps: built by EAS, delivered to the stores by a tag."""

    component: str = field(metadata=policy_key("Whose tags release them, of `release/components`.", "mobile"))
    app: str = field(metadata=policy_key("Folder with app.json, eas.json and package.json.", "apps/mobile"))
    eas: Eas = field(metadata=policy_key("Who builds them."))
    android: PlayStore | None = field(
        default=None, metadata=policy_key("Google Play; without it there is no Android app.")
    )
    ios: AppStore | None = field(
        default=None, metadata=policy_key("App Store Connect; without it there is no iOS app.")
    )

    promotion: AppPromotion = field(default=AppPromotion(), metadata=policy_key("How it goes on from there."))
    reports: AppReports | None = field(
        default=None,
        metadata=policy_key(
            "Where its sessions are; without it where `performance/app_starts` are, and else nothing is known of them."
        ),
    )
    watch: AppWatch = field(default=AppWatch(), metadata=policy_key("What a roll-out is watched by."))

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """Those that are delivered, in the order of their jobs."""
        found: tuple[tuple[Platform, object], ...] = (("android", self.android), ("ios", self.ios))
        return tuple(name for name, store in found if store is not None)


def problems(mobile: Mobile, released: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with it, each with its path in the manifest. `released`: names of `release/components`."""
    if mobile.component not in released:
        yield "mobile/component", f"there is no {mobile.component!r} under release/components"
    if not mobile.platforms:
        yield "mobile", "needs `android` or `ios`"
    stores = {"android": mobile.android, "ios": mobile.ios}
    if mobile.promotion.environment == mobile.eas.environment:
        yield (
            "mobile/promotion/environment",
            "must not be that of `eas`: builds run the commit's code beside its secrets",
        )
    for name, store in stores.items():
        if store is not None and store.environment == mobile.promotion.environment:
            yield (
                f"mobile/{name}/environment",
                "must not be that of `promotion`: it admits tags, that one the default branch",
            )
        if store is not None and store.environment == mobile.eas.environment:
            yield (
                f"mobile/{name}/environment",
                "must not be that of `eas`: builds run the commit's code beside its secrets",
            )
    if mobile.android is not None and not re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", mobile.android.package):
        yield "mobile/android/package", f"{mobile.android.package!r} is no name of a package"
    if mobile.android is not None and not _rises(mobile.android.rollout):
        yield "mobile/android/rollout", "must rise, from 1 at the least to 100 at the most"
    yield from _watch_problems(mobile.watch)
    if mobile.reports is not None:
        yield from error_tracker.problems(mobile.reports, "mobile/reports")
    if mobile.ios is not None and not mobile.ios.app.isdecimal():
        yield "mobile/ios/app", f"{mobile.ios.app!r} is not a number: App Store Connect shows it as *Apple ID*"


def _rises(steps: Collection[int]) -> bool:
    return list(steps) == sorted(set(steps)) and all(1 <= step <= 100 for step in steps)


def _watch_problems(watch: AppWatch) -> Iterator[tuple[str, str]]:
    for name in ("crash_free_percent", "crashed_users_percent"):
        if not 0 < getattr(watch, name) <= 100:
            yield f"mobile/watch/{name}", "must be above 0, and 100 at the most"
    if watch.sessions < 1:
        yield "mobile/watch/sessions", "must be 1 at the least: nothing can be determined from no session"
    if not 1 <= watch.days <= 30:
        yield "mobile/watch/days", "must be from 1 to 30: Sentry keeps no more by some plans"
