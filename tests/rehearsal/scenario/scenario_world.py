"""A place whose GitHub and front are small apps on loopback, for tests of what people and users do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from rehearsal.scenario.world_client import Place


class PlainPlace(Place):
    """Its front speaks plain HTTP: the world's own is checked with the edge."""

    def browser_like(self) -> httpx.Client:
        return httpx.Client(timeout=5, trust_env=False)


def place(root: Path, address: str, **more: Any) -> PlainPlace:
    given: dict[str, Any] = {
        "root": root,
        "api": address,
        "server": address,
        "repository": "techmate/platform",
        "tokens": {"dev-1": "token-of-dev-1", "on-call": "token-of-on-call"},
        "edge": address,
        "ca": "",
        "spki": "",
        "hosts": {"production": {"backend": "api.techmate.ai", "web": "techmate.ai"}},
        "releases": {"production": {"backend": ("/version", "release"), "web": ("/config.json", "release")}},
        "overlay": str(root / "overlay.json"),
        "control": address,
        "environ": {"SHIPMATE_OVERLAY": "x", "VERCEL_TOKEN": "v"},
    }
    return PlainPlace(**(given | more))
