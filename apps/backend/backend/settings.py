"""What the environment configures, read once and checked before anything starts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# Exactly what a browser sends (RFC 6454 §6.2): lower case, no path, no wildcard.
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
_SCHEMES = {"postgresql": ("postgresql", "postgres"), "redis": ("redis", "rediss", "unix")}
_SHORTEST_TOKEN = 16
LOG_LEVELS = ("error", "warn", "info", "debug", "verbose")


class SettingsError(Exception):
    """The environment cannot be used; the text names every wrong or missing variable at once."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Configuration of one process. URLs hold credentials, so they stay out of `repr`."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 3000
    workers: bool = False
    cors_origins: tuple[str, ...] = ()
    log_level: str = "info"
    sentry_dsn: str | None = field(default=None, repr=False)
    release: str = "unreleased"
    commit: str = "unknown"
    revision: str = "local"
    environment: str = "development"
    trusted_hops: int = 0
    redis_namespace: str = "techmate"
    probe_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the variables documented in README.md; raises SettingsError naming all that are wrong."""
        reader = _Reader(environ)
        # Set by Cloud Run in every container (container runtime contract). There the port must be open on all
        # interfaces, and Google's front end is the one proxy that appends the caller to X-Forwarded-For.
        on_cloud_run = "K_SERVICE" in environ
        settings = cls(
            database_url=reader.required("DATABASE_URL", "postgresql"),
            redis_url=reader.required("REDIS_URL", "redis"),
            host=reader.text("HOST", "0.0.0.0" if on_cloud_run else "127.0.0.1"),  # noqa: S104
            port=reader.number("PORT", 3000, maximum=65535),
            workers=reader.switch("WORKERS"),
            cors_origins=reader.origins("CORS_ORIGINS"),
            log_level=reader.choice("LOG_LEVEL", LOG_LEVELS, "info"),
            sentry_dsn=environ.get("SENTRY_DSN") or None,
            release=reader.text("RELEASE", "unreleased"),
            commit=reader.text("COMMIT", "unknown"),
            revision=reader.text("REVISION", environ.get("K_REVISION") or "local"),
            environment=reader.text("ENVIRONMENT", "development"),
            trusted_hops=reader.number("TRUSTED_HOPS", 1 if on_cloud_run else 0, maximum=10),
            redis_namespace=reader.text("REDIS_NAMESPACE", "techmate"),
            probe_token=reader.token("PROBE_TOKEN"),
        )
        reader.complain()
        return settings


class _Reader:
    """Collects problems instead of stopping at the first: one look at the log shows them all."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name) or default

    def required(self, name: str, scheme: str) -> str:
        value = self._environ.get(name, "")
        if not value:
            self._problems.append(f"{name} is not set (a {scheme}:// address)")
        elif not _is_service_address(value, scheme):
            # The value itself is a secret and is never repeated.
            self._problems.append(f"{name} is not a {scheme}:// address")
        return value

    def number(self, name: str, default: int, *, maximum: int) -> int:
        value = self._environ.get(name) or str(default)
        if not value.isascii() or not value.isdigit() or int(value) > maximum:
            self._problems.append(f"{name}={value!r} is not a whole number from 0 to {maximum}")
            return default
        return int(value)

    def switch(self, name: str) -> bool:
        return self.choice(name, ("on", "off"), "off") == "on"

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self._environ.get(name) or default
        if value not in allowed:
            self._problems.append(f"{name}={value!r} is none of {', '.join(allowed)}")
            return default
        return value

    def token(self, name: str) -> str | None:
        value = self._environ.get(name, "").strip()
        if value and len(value) < _SHORTEST_TOKEN:
            self._problems.append(f"{name} can be guessed: it has fewer than {_SHORTEST_TOKEN} characters")
        return value or None

    def origins(self, name: str) -> tuple[str, ...]:
        given = [part.strip() for part in self._environ.get(name, "").split(",")]
        origins = tuple(part for part in given if part)
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                self._problems.append(f"{name}: {origin!r} is not an origin such as https://techmate.ai")
        return origins

    def complain(self) -> None:
        if self._problems:
            raise SettingsError("the environment cannot be used: " + "; ".join(self._problems))


def _is_service_address(value: str, scheme: str) -> bool:
    given, separator, rest = value.partition("://")
    return given in _SCHEMES[scheme] and bool(separator and rest)
