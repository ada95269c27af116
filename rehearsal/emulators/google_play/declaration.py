"""Google Play in a world: the account that holds the platform's Android app, which its deployer may release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.definition import Definition
from rehearsal.emulators.capabilities import AUTHORISE, OPERATOR
from rehearsal.emulators.declaration import Declaration, WorldContext
from rehearsal.emulators.google_play.account import Pace
from rehearsal.emulators.google_play.app import ANYONE, GooglePlay


def _build(context: WorldContext) -> GooglePlay:
    android: Mapping[str, Any] = context.manifest.get("mobile", {}).get("android", {})
    deployer = str(android.get("service_account", ANYONE))
    return GooglePlay(
        context.root,
        packages=[str(android["package"])] if "package" in android else [],
        deployers=[deployer, context.need(OPERATOR)],
        authorise=context.need(AUTHORISE),
        project=deployer.partition("@")[2].partition(".")[0],
        pace=Pace(review=Pace.review * context.time_scale),
    )


def _used(definition: Definition) -> bool:
    return "android" in definition.manifest.get("mobile", {})


EMULATOR = Declaration(name=GooglePlay.name, build=_build, needs=(AUTHORISE, OPERATOR), used=_used)
