"""Which credentials a world makes, and which environment at GitHub or terminal has them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from rehearsal import definition
from rehearsal.definition import Definition
from rehearsal.world.credentials import Credentials
from tests.rehearsal.example_manifest import with_apps, written

APPS = ("mobile-build", "mobile-stores", "mobile-promote")


@pytest.fixture
def wanted(tmp_path: Path) -> Definition:
    return definition.read(written(tmp_path))


@pytest.fixture
def releasing(wanted: Definition) -> Definition:
    return with_apps(wanted)


def held(platform: Definition, environment: str) -> set[str]:
    return set(Credentials.new().in_environment(platform, environment))


def test_an_environment_has_the_secrets_it_has_a_use_for(wanted: Definition) -> None:
    mail = {"SMTP_USER", "SMTP_PASSWORD"}
    assert held(wanted, "staging") == {"VERCEL_TOKEN", "VERCEL_BYPASS", *mail}
    assert held(wanted, "production-approval") == mail, "it sends messages and deploys nothing"
    assert held(wanted, "unknown") == set()
    posting = {"alerts": {"slack_channel": "#deployments"}}
    bare = dataclasses.replace(wanted, sites=(), manifest=posting, mail_server=None)
    assert held(bare, "production") == held(bare, "production-approval") == {"SLACK_WEBHOOK"}
    assert held(dataclasses.replace(bare, manifest={}), "production") == set()


def test_credentials_are_new_in_every_world() -> None:
    one, other = Credentials.new().all_secrets(), Credentials.new().all_secrets()
    assert {"VERCEL_TOKEN", "SMTP_PASSWORD", "SLACK_WEBHOOK"} <= set(one)
    assert all(one.values())
    assert [name for name, value in one.items() if other[name] == value] == []


def test_the_environment_that_builds_apps_holds_the_robots_token_alone(releasing: Definition) -> None:
    assert held(releasing, "mobile-build") == {"EXPO_TOKEN"}
    assert {"EXPO_TOKEN", "APP_STORE_KEY", "SLACK_WEBHOOK"} <= held(releasing, "mobile-stores")


def test_how_the_apps_do_is_read_where_they_are_promoted(releasing: Definition) -> None:
    reports = {"organization": "acme", "project": "app"}
    mobile = releasing.manifest["mobile"] | {"reports": reports}
    reporting = dataclasses.replace(releasing, manifest=releasing.manifest | {"mobile": mobile})
    assert "SENTRY_READ_TOKEN" in held(reporting, "mobile-promote")
    assert not any("SENTRY_READ_TOKEN" in held(reporting, name) for name in ("mobile-stores", "production"))
    starts = reports | {"url": "https://errors.acme.test"}
    measured = dataclasses.replace(reporting, manifest=reporting.manifest | {"performance": {"app_starts": starts}})
    assert all("SENTRY_READ_TOKEN" in held(measured, name) for name in ("mobile-promote", "production", "staging"))


def test_what_people_alone_use_is_in_terminals_and_in_no_environment(releasing: Definition) -> None:
    credentials, reports = Credentials.new(), {"organization": "acme", "project": "app"}
    mobile = releasing.manifest["mobile"] | {"reports": reports}
    reporting = dataclasses.replace(releasing, manifest=releasing.manifest | {"mobile": mobile})
    assert {"SENTRY_READ_TOKEN", "SENTRY_AUTH_TOKEN"} <= set(credentials.at_terminal(reporting))
    assert "SENTRY_AUTH_TOKEN" not in credentials.at_terminal(releasing), "nothing reports there"
    assert not any("SENTRY_AUTH_TOKEN" in held(reporting, name) for name in (*APPS, "production"))


def test_what_brings_source_maps_is_where_a_site_with_a_tracker_is_deployed(releasing: Definition) -> None:
    tracker = {"organization": "acme", "project": "shop"}
    components = {"web": {"error_tracker": tracker}, "backend": {}}
    tracked = dataclasses.replace(releasing, manifest=releasing.manifest | {"components": components})
    assert all("SENTRY_AUTH_TOKEN" in held(tracked, name) for name in ("production", "staging"))
    assert not any("SENTRY_AUTH_TOKEN" in held(tracked, name) for name in (*APPS, "production-approval"))
    assert not any("SENTRY_READ_TOKEN" in held(tracked, name) for name in (*APPS, "production")), "nothing is read"


def test_where_the_platform_is_deployed_no_secret_of_the_apps_is(releasing: Definition) -> None:
    assert not {"EXPO_TOKEN", "APP_STORE_KEY"} & held(releasing, "production")
    assert {"EXPO_TOKEN", "APP_STORE_KEY", "VERCEL_TOKEN"} <= set(Credentials.new().at_terminal(releasing))
