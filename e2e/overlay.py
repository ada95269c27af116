"""Lets the browser open the real https:// addresses while servers on this machine answer for them.

SHIPMATE_OVERLAY names a JSON file: {"ca": "ca.pem", "hosts": {"api.techmate.ai": "https://127.0.0.1:4443"}}.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TIMEOUT = 5.0


class OverlayError(Exception):
    """The overlay cannot be used; the text says which entry and why."""


@dataclass(frozen=True)
class Overlay:
    """Host names (or patterns such as `*.run.app`) and the loopback servers that play them."""

    ca: Path
    targets: dict[str, SplitResult]

    @classmethod
    def read(cls, path: Path) -> Overlay:
        """Raises OverlayError, also for a target that is not on this machine."""
        try:
            raw = json.loads(path.read_text())
            ca, targets = Path(raw["ca"]), {host: urlsplit(url) for host, url in raw["hosts"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise OverlayError(f"SHIPMATE_OVERLAY={path} cannot be read: {error!r}") from error
        for host, target in targets.items():
            if target.hostname not in _LOOPBACK or target.port is None:
                raise OverlayError(
                    f"{path}: {host} -> {target.geturl()}: only loopback addresses with a port are taken"
                )
        return cls(ca, targets)

    def browser_arguments(self, hosts: Iterable[str]) -> list[str]:
        """Command-line arguments for Chromium: where `hosts` and all others mapped are, and which keys to trust.

        Whatever is not mapped does not resolve, so a page under rehearsal can reach nothing outside.
        """
        mapped = [f"MAP {host} {target.hostname}:{target.port}" for host, target in self.targets.items()]
        rules = [*mapped, "MAP * ~NOTFOUND", *(f"EXCLUDE {name}" for name in _LOOPBACK)]
        keys = sorted({self._key(host) for host in hosts if self._find(host).scheme == "https"})
        trust = [f"--ignore-certificate-errors-spki-list={','.join(keys)}"] if keys else []
        return [f"--host-resolver-rules={', '.join(rules)}", *trust]

    def _find(self, host: str) -> SplitResult:
        if host in self.targets:
            return self.targets[host]
        for pattern, target in self.targets.items():
            if fnmatchcase(host, pattern):
                return target
        if host in _LOOPBACK:
            return urlsplit(f"http://{host}")
        raise OverlayError(f"{host} is not in the overlay: it would be looked for on the internet")

    def _key(self, host: str) -> str:
        """Base64 SHA-256 of the public key that is served for `host`, once the overlay's CA vouches for it.

        Chromium takes no extra CA on its command line, only keys whose certificate errors it is to overlook.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        target = self._find(host)
        try:
            context = ssl.create_default_context(cafile=str(self.ca))
            with (
                socket.create_connection((target.hostname, target.port), timeout=_TIMEOUT) as connection,
                context.wrap_socket(connection, server_hostname=host) as secured,
            ):
                served = secured.getpeercert(binary_form=True)
        except OSError as error:  # ssl.SSLError is one
            raise OverlayError(f"{host} at {target.geturl()}: {error}") from error
        if served is None:
            raise OverlayError(f"{host} at {target.geturl()} showed no certificate")
        public = x509.load_der_x509_certificate(served).public_key()
        info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(info).digest()).decode()
