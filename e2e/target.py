"""The environment under test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


class TargetError(Exception):
    """The tests were given no target."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Addresses without a trailing slash, and the release that must be there (None: whichever is)."""

    web_url: str
    api_url: str
    release: str | None

    @classmethod
    def of(cls, values: Mapping[str, str | None]) -> Target:
        """From `E2E_WEB_URL`, `E2E_API_URL` and `E2E_EXPECT_RELEASE`. Raises TargetError naming what is missing."""
        urls = {name: (values.get(name) or "").rstrip("/") for name in ("E2E_WEB_URL", "E2E_API_URL")}
        wrong = [name for name, url in urls.items() if urlsplit(url).scheme not in ("http", "https")]
        if wrong:
            raise TargetError(
                f"{' and '.join(wrong)}: set to the address of the environment under test, such as "
                "https://staging.techmate.ai; `python -m e2e.local` tests what is in this checkout"
            )
        return cls(
            web_url=urls["E2E_WEB_URL"], api_url=urls["E2E_API_URL"], release=values.get("E2E_EXPECT_RELEASE") or None
        )

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names that the browser connects to."""
        return tuple(urlsplit(url).hostname or "" for url in (self.web_url, self.api_url))
