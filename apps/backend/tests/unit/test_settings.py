from __future__ import annotations

import pytest
from backend.settings import Settings, SettingsError

NEEDED = {"DATABASE_URL": "postgresql://db/techmate", "REDIS_URL": "redis://cache"}


def test_defaults_are_those_of_development() -> None:
    settings = Settings.from_environ(NEEDED)
    assert (settings.host, settings.port, settings.workers, settings.environment) == (
        "127.0.0.1",
        3000,
        False,
        "development",
    )
    assert (settings.cors_origins, settings.sentry_dsn, settings.trusted_hops) == ((), None, 0)
    assert settings.probe_token is None


def test_every_variable_is_read() -> None:
    settings = Settings.from_environ(
        {
            **NEEDED,
            "PORT": "8080",
            "HOST": "127.0.0.9",
            "WORKERS": "on",
            "CORS_ORIGINS": "https://techmate.ai, https://staging.techmate.ai:8443",
            "LOG_LEVEL": "verbose",
            "SENTRY_DSN": "http://key@127.0.0.1/1",
            "RELEASE": "v1.0.0",
            "COMMIT": "abc",
            "REVISION": "api-00001",
            "ENVIRONMENT": "staging",
            "TRUSTED_HOPS": "2",
            "PROBE_TOKEN": "0123456789abcdef\n",
        }
    )
    assert (settings.port, settings.host, settings.workers, settings.log_level) == (8080, "127.0.0.9", True, "verbose")
    assert settings.cors_origins == ("https://techmate.ai", "https://staging.techmate.ai:8443")
    assert (settings.release, settings.commit, settings.revision) == ("v1.0.0", "abc", "api-00001")
    assert (settings.environment, settings.sentry_dsn, settings.trusted_hops) == (
        "staging",
        "http://key@127.0.0.1/1",
        2,
    )
    assert settings.probe_token == "0123456789abcdef"


def test_cloud_run_is_recognised() -> None:
    settings = Settings.from_environ({**NEEDED, "K_SERVICE": "api", "K_REVISION": "api-00007-abc"})
    assert (settings.host, settings.trusted_hops, settings.revision) == ("0.0.0.0", 1, "api-00007-abc")  # noqa: S104


def test_all_problems_are_named_at_once() -> None:
    environ = {"DATABASE_URL": "mysql://u:hidden@db/x", "PORT": "http", "WORKERS": "yes", "CORS_ORIGINS": "*"}
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ(environ)
    text = str(caught.value)
    for name in ("DATABASE_URL", "REDIS_URL", "PORT", "WORKERS", "CORS_ORIGINS"):
        assert name in text
    assert "hidden" not in text


@pytest.mark.parametrize(
    "origin",
    ["*", "https://*.techmate.ai", "techmate.ai", "https://techmate.ai/", "https://techmate.ai/x", "null", "https://"],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(SettingsError, match="CORS_ORIGINS"):
        Settings.from_environ({**NEEDED, "CORS_ORIGINS": origin})


@pytest.mark.parametrize("port", ["-1", "65536", "80.5", "٣", "1_000"])
def test_what_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(SettingsError, match="PORT"):
        Settings.from_environ({**NEEDED, "PORT": port})


def test_a_token_that_can_be_guessed_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="PROBE_TOKEN can be guessed") as caught:
        Settings.from_environ({**NEEDED, "PROBE_TOKEN": "short"})
    assert "short" not in str(caught.value)


def test_credentials_stay_out_of_repr() -> None:
    settings = Settings(
        database_url="postgresql://u:hidden@db/x", redis_url="redis://:hidden@cache", probe_token="hidden"
    )
    assert "hidden" not in repr(settings)
