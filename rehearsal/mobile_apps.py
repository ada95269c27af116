"""What the apps of the stores need of their providers: environments that admit their tags alone, an account at Google that releases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BUILD, STORES, PROMOTE = "mobile-build", "mobile-stores", "mobile-promote"
"""GitHub environments where the manifest names none."""
WORKFLOW = "mobile-release.yml"


@dataclass(frozen=True, kw_only=True)
class Apps:
    """The apps of a platform."""

    tags: str
    """Pattern of the tags that release them: `mobile-v*`."""
    build: str
    """Environment of the job that runs code of the app."""
    stores: tuple[str, ...]
    """Environments of the jobs that talk to the stores."""
    promote: str
    """Environment of the jobs that bring them from their testers to everybody; it admits the default branch."""
    deployer: tuple[str, str, str] | None
    """(workload identity provider, service account, environment) of who releases on Google Play."""

    @property
    def environments(self) -> tuple[str, ...]:
        """Those that admit the tags."""
        return (self.build, *self.stores)


def read(manifest: Mapping[str, Any]) -> Apps | None:
    """Those of a manifest; None where it has none."""
    mobile: Mapping[str, Any] = manifest.get("mobile") or {}
    if not mobile:
        return None
    components = manifest.get("release", {}).get("components", {})
    tag_format = components.get(mobile["component"], {}).get("tag_format", "v{version}")
    stores = [mobile[name] for name in ("android", "ios") if name in mobile]
    android = mobile.get("android")
    return Apps(
        tags=tag_format.replace("{version}", "*"),
        build=mobile["eas"].get("environment", BUILD),
        stores=tuple(dict.fromkeys(store.get("environment", STORES) for store in stores)),
        promote=promoting(manifest),
        deployer=(android["workload_identity"], android["service_account"], android.get("environment", STORES))
        if android
        else None,
    )


def promoting(manifest: Mapping[str, Any]) -> str:
    """The environment of the jobs that promote."""
    return str(manifest.get("mobile", {}).get("promotion", {}).get("environment", PROMOTE))
