"""The `mobile:` section of shipmate.yml: the app, its project at Expo, and its places in the stores. All of it is policy.

The manifest does not take the section yet: no workflow would read it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Platform = Literal["android", "ios"]


def _said(doc: str, example: Any = None) -> dict[str, Any]:
    return {"doc": doc, "example": example}


@dataclass(frozen=True, kw_only=True)
class Eas:
    """The app's project at Expo. Builds run the commit's code there, so its token stands alone in its GitHub environment."""

    account: str = field(metadata=_said("The account that owns the project: `owner` of app.json.", "techmate"))
    slug: str = field(metadata=_said("The project's slug, as in app.json.", "techmate"))
    project: str = field(
        metadata=_said("The project's id: `extra.eas.projectId` of app.json.", "00000000-0000-0000-0000-000000000000")
    )
    profile: str = field(default="production", metadata=_said("Profile of eas.json that builds for the stores."))
    environment: str = field(
        default="mobile-build",
        metadata=_said("GitHub environment that holds EXPO_TOKEN and nothing else, and admits the app's tags alone."),
    )


@dataclass(frozen=True, kw_only=True)
class PlayStore:
    """The app on Google Play."""

    package: str = field(metadata=_said("Its name there: `android.package` of app.json.", "ai.techmate.app"))
    track: str = field(default="internal", metadata=_said("Track that a tag delivers to."))
    languages: tuple[str, ...] = field(default=("en-US",), metadata=_said("Of the release notes."))
    workload_identity: str = field(metadata=_said("As of an environment's deployer: the audience at Google."))
    service_account: str = field(
        metadata=_said("Account to become; it is a user in the Play Console, with the right to release this app.")
    )
    environment: str = field(
        default="mobile-stores",
        metadata=_said("GitHub environment of the job that delivers; it admits the app's tags alone."),
    )


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Beta groups of TestFlight, by name."""

    internal: tuple[str, ...] = field(default=(), metadata=_said("Testers of the team: they get a build at once."))
    external: tuple[str, ...] = field(default=(), metadata=_said("Others: they get a build after a beta review."))


@dataclass(frozen=True, kw_only=True)
class AppStore:
    """The app on App Store Connect."""

    bundle: str = field(metadata=_said("Its bundle id: `ios.bundleIdentifier` of app.json.", "ai.techmate.app"))
    app: str = field(metadata=_said("Its Apple id, a number.", "6471234567"))
    issuer: str = field(metadata=_said("Issuer id of the API key.", "00000000-0000-0000-0000-000000000000"))
    key: str = field(metadata=_said("Id of the API key whose private part is the secret APP_STORE_KEY.", "2X9R4HXF34"))
    groups: Groups = field(default=Groups(), metadata=_said("Who tests it."))
    encryption: bool = field(
        default=False,
        metadata=_said(
            "Whether it uses encryption that is not exempt, where the build does not say (ITSAppUsesNonExemptEncryption)."
        ),
    )
    environment: str = field(
        default="mobile-stores",
        metadata=_said("GitHub environment that holds APP_STORE_KEY, and admits the app's tags alone."),
    )


@dataclass(frozen=True, kw_only=True)
class Mobile:
    """The apps: built by EAS, delivered to the stores by a tag."""

    component: str = field(metadata=_said("Whose tags release them, of `release/components`.", "mobile"))
    app: str = field(metadata=_said("Folder with app.json, eas.json and package.json.", "apps/mobile"))
    eas: Eas = field(metadata=_said("Who builds them."))
    android: PlayStore | None = field(default=None, metadata=_said("Google Play; without it there is no Android app."))
    ios: AppStore | None = field(default=None, metadata=_said("App Store Connect; without it there is no iOS app."))

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
    for name, store in stores.items():
        if store is not None and store.environment == mobile.eas.environment:
            yield (
                f"mobile/{name}/environment",
                "must not be that of `eas`: builds run the commit's code beside its secrets",
            )
    if mobile.android is not None and not re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", mobile.android.package):
        yield "mobile/android/package", f"{mobile.android.package!r} is no name of a package"
    if mobile.ios is not None and not mobile.ios.app.isdecimal():
        yield "mobile/ios/app", f"{mobile.ios.app!r} is not a number: App Store Connect shows it as *Apple ID*"
