"""How long a certificate is still good for."""

from __future__ import annotations

import socket
import ssl
import time
from urllib.parse import urlsplit

from pipelines.overlay import Overlay

_TIMEOUT = 5.0


def problem(url: str, days: int, overlay: Overlay) -> list[str]:
    """Nothing when the certificate of an address is trusted and valid for `days` more; else what is wrong."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return ["is not served by TLS"]
    try:
        left = days_left(parts.hostname or "", parts.port or 443, overlay)
    except (OSError, ValueError) as error:
        return [f"its certificate cannot be read: {error}"]
    return [] if left >= days else [f"its certificate ends in {left:.1f} days, less than {days}"]


def days_left(host: str, port: int, overlay: Overlay) -> float:
    """Days until the certificate a host shows ends. Raises OSError (ssl.SSLError) when it is not trusted."""
    target = overlay.target(host)
    address = (host, port)
    if target is not None:
        parts = urlsplit(target)
        address = (parts.hostname or "", parts.port or 443)
    context = ssl.create_default_context(cafile=overlay.ca if target is not None else None)
    with (
        socket.create_connection(address, timeout=_TIMEOUT) as raw,
        context.wrap_socket(raw, server_hostname=host) as tls,
    ):
        certificate = tls.getpeercert() or {}
    ends = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return (ends - time.time()) / 86400
