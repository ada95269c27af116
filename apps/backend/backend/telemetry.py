"""Unexpected errors go to Sentry where a DSN is given; the SDK is imported only then."""

from __future__ import annotations

from collections.abc import Callable

from backend.settings import Settings

_TRACED = 0.1

Report = Callable[[BaseException], None]


def start_reporting(settings: Settings) -> Report:
    """Set up Sentry and return what reports an error to it; without a DSN, errors are only logged.

    To be called before the application is made: the SDK instruments Starlette when it starts.
    """
    if settings.sentry_dsn is None:
        return _only_logged
    import sentry_sdk
    from sentry_sdk.integrations.logging import LoggingIntegration

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        release=settings.release,
        environment=settings.environment,
        server_name=settings.revision,
        traces_sample_rate=_TRACED,
        send_default_pii=False,
        # Our own log lines about an error would report it a second time.
        disabled_integrations=[LoggingIntegration()],
    )
    return _send


def _only_logged(error: BaseException) -> None:
    """The code that reports an error has logged it with its stack already."""


def _send(error: BaseException) -> None:
    import sentry_sdk

    sentry_sdk.capture_exception(error)
