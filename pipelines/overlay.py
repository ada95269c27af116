"""Where the outside world is: as published, or mapped to loopback addresses by the file that SHIPMATE_OVERLAY names.

The file is JSON: {"ca": path, "hosts": {"run.googleapis.com": "http://127.0.0.1:4001", "*.run.app": "https://127.0.0.1:4443"},
"images": {pinned base reference: reference in the world}, "time_scale": 0.05, "smtp": "127.0.0.1:2525",
"wheels": "aarch64-manylinux_2_28"}. It takes loopback targets only, so that no token can leave this machine through it.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.errors import LocalError

VARIABLE = "SHIPMATE_OVERLAY"


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """What differs from the published addresses; the default differs in nothing."""

    hosts: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    ca: str | None = None
    smtp: str | None = None
    time_scale: float = 1.0
    """Waits between retries and polls are multiplied by this."""
    wheels: str | None = None
    """Platform of the wheels that images get, as uv names it, where images run on another one than Cloud Run's: on this machine."""

    def target(self, host: str) -> str | None:
        """The mapped origin of a host name (`http://127.0.0.1:4001`), or None if it stays as published."""
        exact = self.hosts.get(host)
        if exact is not None:
            return exact
        parent = host.partition(".")[2]
        return self.hosts.get(f"*.{parent}") if parent else None

    @property
    def active(self) -> bool:
        return bool(self.hosts)


def current(environ: Mapping[str, str] = os.environ) -> Overlay:
    """The overlay of this process. Raises LocalError if the file is unreadable or names an address off this machine."""
    name = environ.get(VARIABLE)
    if not name:
        return Overlay()
    try:
        raw = json.loads(Path(name).read_text())
    except (OSError, ValueError) as error:
        raise LocalError(
            f"the overlay cannot be read: {error}",
            where=name,
            why=f"{VARIABLE} names a file that is gone: the world it describes has probably stopped",
            next_step=f"start it again with `shipmate up`, or unset {VARIABLE}",
        ) from error
    overlay = Overlay(
        hosts=raw.get("hosts", {}),
        images=raw.get("images", {}),
        ca=raw.get("ca"),
        smtp=raw.get("smtp"),
        time_scale=float(raw.get("time_scale", 1.0)),
        wheels=raw.get("wheels"),
    )
    for address in [*overlay.hosts.values(), *([f"smtp://{overlay.smtp}"] if overlay.smtp else [])]:
        _require_loopback(address, name)
    return overlay


def is_loopback(address: str) -> bool:
    """Whether an address with a scheme leads to this machine, by number: a name could lead anywhere."""
    try:
        return ipaddress.ip_address(urlsplit(address).hostname or "").is_loopback
    except ValueError:
        return False


def _require_loopback(address: str, file: str) -> None:
    if is_loopback(address):
        return
    raise LocalError(
        f"the overlay points to {address!r}, which is not on this machine",
        where=file,
        why="an overlay takes loopback addresses only, so that no token can be sent elsewhere",
        next_step="use an address in 127.0.0.0/8 or [::1]",
    )
