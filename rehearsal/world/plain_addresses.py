"""Addresses that any browser opens without settings: `http://techmate.ai.localhost:PORT` for `https://techmate.ai`.

Names below localhost lead to this machine (RFC 6761 §6.3), and browsers treat them as secure contexts although they speak plain HTTP
(www.w3.org/TR/secure-contexts §3.1).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

SUFFIX = ".localhost"
GITHUB = "github.localhost"
"""GitHub's pages; gh knows this name, too."""
WORLD = "world.localhost"
"""The world's own pages: where everything is, and what people were sent."""

_END = rb"(?![\w@-]|\.\w|:\S)"


@dataclass(frozen=True)
class PlainAddresses:
    """`hosts`: public names of the world, `*.` for one label of any name. `server`: the address of its GitHub among programs."""

    hosts: Collection[str]
    server: str

    def public(self, host: str) -> str | None:
        """The public name that `name.localhost`, with or without a port, stands for; None for any other."""
        name = host.partition(":")[0].lower().removesuffix(".")
        if not name.endswith(SUFFIX):
            return None
        found = name.removesuffix(SUFFIX)
        return found if found in self.hosts or f"*.{found.partition('.')[2]}" in self.hosts else None

    def address(self, host: str, port: str) -> str:
        """The address of a public name; `port` as in a Host header, with its colon, empty for 80."""
        return f"http://{host}{SUFFIX}{port}"

    def original(self, url: str, port: str) -> str | None:
        """The public address for one of a plain site at this port, to be read where it was sent; None for any other."""
        parts = urlsplit(url)
        host = self.public(parts.netloc)
        if parts.scheme != "http" or host is None or parts.netloc.partition(":")[2] != port.removeprefix(":"):
            return None
        return f"https://{host}{url[len(f'http://{parts.netloc}') :]}"

    def translate(self, text: bytes, port: str) -> bytes:
        """A text with every public address in it made plain."""
        return self._pattern(rb"").sub(lambda found: self._plain(found, port), text)

    def translate_links(self, page: bytes, port: str) -> bytes:
        """HTML with its links made plain: what else it shows is as it was written, source code above all."""
        return self._pattern(rb"(?<=\shref=\")|(?<=\saction=\")").sub(lambda found: self._plain(found, port), page)

    def translate_text(self, text: str, port: str) -> str:
        """`translate` for a header or an address."""
        return self.translate(text.encode(), port).decode()

    def _pattern(self, before: bytes) -> re.Pattern[bytes]:
        names = "|".join(re.escape(name).replace(r"\*", r"[\w-]+") for name in self.hosts).encode()
        sites = rb"https://(?P<user>[\w.~%:-]*@)?(?P<host>" + names + rb")(?::443)?"
        server = rb"|" + re.escape(self.server.encode()) if self.server else b""
        return re.compile(rb"(?:" + before + rb")(?:" + sites + server + rb")" + _END)

    def _plain(self, found: re.Match[bytes], port: str) -> bytes:
        if found["host"] is None:
            return f"http://{GITHUB}{port}".encode()
        return b"http://" + (found["user"] or b"") + found["host"].lower() + f"{SUFFIX}{port}".encode()
