"""A client of a world whose GitHub and edge are small apps on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from rehearsal.scenario.world_client import WorldClient


class PlainWorldClient(WorldClient):
    """Its edge speaks plain HTTP: the world's own is tested with the edge."""

    def https_client(self, address: str | None = None) -> httpx.Client:
        transport = httpx.HTTPTransport(verify=False, trust_env=False, local_address=address)
        return httpx.Client(transport=transport, timeout=5, trust_env=False)


def world(root: Path, address: str, **more: Any) -> PlainWorldClient:
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
        "control_token": "of-the-control-port",
        "environ": {"SHIPMATE_OVERLAY": "x", "VERCEL_TOKEN": "v"},
    }
    return PlainWorldClient(**(given | more))
