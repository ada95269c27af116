"""Google Play in a world: the account that holds the platform's Android app, which its deployer may release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.emulators.declaration import Declaration, Surroundings
from rehearsal.emulators.google.access import anyone
from rehearsal.emulators.google_play.account import Pace
from rehearsal.emulators.google_play.app import ANYONE, GooglePlay


def _build(around: Surroundings) -> GooglePlay:
    android: Mapping[str, Any] = around.manifest.get("mobile", {}).get("android", {})
    deployer = str(android.get("service_account", ANYONE))
    return GooglePlay(
        around.root,
        packages=[str(android["package"])] if "package" in android else [],
        deployers=[deployer, *filter(None, [around.operator])] if around.authorise else [ANYONE],
        authorise=around.authorise or anyone,
        project=deployer.partition("@")[2].partition(".")[0],
        pace=Pace(review=Pace.review * around.time_scale),
    )


def _used(manifest: Mapping[str, Any]) -> bool:
    return "android" in manifest.get("mobile", {})


EMULATOR = Declaration(name=GooglePlay.name, build=_build, used=_used)
