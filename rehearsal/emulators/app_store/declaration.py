"""App Store Connect in a world: the app of the manifest, and one key that may release it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rehearsal.definition import Definition
from rehearsal.emulators.app_store.access import Key, public_part
from rehearsal.emulators.app_store.app import AppStore
from rehearsal.emulators.app_store.model import App, Pace
from rehearsal.emulators.declaration import Declaration, WorldContext
from rehearsal.mobile_apps import STORES, promoting

_SECRET = "APP_STORE_KEY"
_IOS: Mapping[str, Any] = {
    "bundle": "ai.techmate.app",
    "app": "6471234567",
    "issuer": "69a6de70-0000-47e3-e053-5b8c7c11a4d1",
    "key": "2X9R4HXF34",
}
"""Of a platform without mobile apps, which nobody asks for."""


def _build(context: WorldContext) -> AppStore:
    ios = context.manifest.get("mobile", {}).get("ios") or _IOS
    key = Key(id=ios["key"], issuer=ios["issuer"], public=public_part(context.secrets[_SECRET]))
    return AppStore(
        context.root,
        record=App(id=str(ios["app"]), bundle=ios["bundle"], name="TechMate AI"),
        keys=[key],
        groups=ios.get("groups", {}),
        pace=Pace().scaled(context.time_scale),
    )


def _secrets() -> dict[str, str]:
    """The key as App Store Connect lets it be downloaded once: PKCS #8 in PEM (AuthKey_ID.p8)."""
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {_SECRET: pem.decode()}


def _used(definition: Definition) -> bool:
    return "ios" in definition.manifest.get("mobile", {})


def _environments(definition: Definition) -> tuple[str, ...]:
    ios: Mapping[str, Any] = definition.manifest.get("mobile", {}).get("ios", {})
    return (ios.get("environment", STORES), promoting(definition.manifest))


EMULATOR = Declaration(name=AppStore.name, build=_build, secrets=_secrets, used=_used, environments=_environments)
