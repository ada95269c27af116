"""What a load test may do, and to what."""

from __future__ import annotations

import pytest

from pipelines.delivery.load_target import LOAD_HEADER, load_target, profile_named, require_within, serving
from pipelines.delivery.probes import HEADER
from pipelines.errors import InputError, RefusedError
from pipelines.manifest.performance import Load, LoadProfile
from tests.shop import Shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

LOADED = (
    MANIFEST.replace("  staging:\n", "  staging:\n    load: {visits_per_second: 20}\n").replace(
        "  production:\n", "  production:\n    load: {visits_per_second: 5}\n"
    )
    + """
journeys:
  read: {component: backend, requests: [{path: /notes}]}
  never: {component: web, weight: 0, requests: [{path: /}]}
performance:
  profiles: {smoke: {per_second: 5, seconds: 60}}
"""
)


@pytest.fixture
def loaded(shop: Shop) -> Shop:
    shop.commit("feat: load", files={"shipmate.yml": LOADED})
    return shop


def test_the_addresses_and_the_journeys_that_users_do(loaded: Shop) -> None:
    context = loaded.context("staging")
    context.probe_headers["backend"] = {HEADER: "a-token-of-a-test"}
    found = load_target(context, accepted=False)
    assert set(found.journeys) == {"read"}
    assert found.addresses == {"backend": context.urls()["backend"]}
    assert found.headers == {"backend": {LOAD_HEADER: "a-token-of-a-test"}}, (
        "limited like users, and sent the database times"
    )
    assert found.limits.visits_per_second == 20


def test_without_a_limit_no_load_is_made(shop: Shop) -> None:
    with pytest.raises(RefusedError, match="no load test may be made of staging"):
        load_target(shop.context("staging"), accepted=True)


def test_without_journeys_nobody_knows_what_users_do(shop: Shop) -> None:
    text = LOADED.partition("journeys:")[0]
    shop.commit("feat: load", files={"shipmate.yml": text})
    with pytest.raises(RefusedError, match="nothing says what users of staging do"):
        load_target(shop.context("staging"), accepted=False)


def test_a_profile_has_a_name(loaded: Shop) -> None:
    manifest = loaded.context("staging").manifest
    assert profile_named(manifest, "smoke").per_second == 5
    with pytest.raises(InputError, match="there is no profile 'smok'"):
        profile_named(manifest, "smok")


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (LoadProfile(per_second=21, seconds=60), "21 visits per second, and 20 at the most"),
        (LoadProfile(per_second=1, seconds=61), "61 seconds, and 60 at the most"),
        (LoadProfile(arrivals="replay", recorded=(1, 30), seconds=60), "30 visits per second, and 20 at the most"),
    ],
)
def test_no_profile_goes_beyond_what_an_environment_takes(profile: LoadProfile, message: str) -> None:
    limits = Load(visits_per_second=20, seconds=60)
    require_within(LoadProfile(per_second=20, seconds=60), limits, "staging")
    with pytest.raises(RefusedError) as error:
        require_within(profile, limits, "staging")
    assert message in error.value.what


# where users are --------------------------------------------------------------------------------------------------------


def test_production_is_refused_without_saying_so(loaded: Shop) -> None:
    with pytest.raises(RefusedError, match="users are on production"):
        load_target(loaded.context("production", loaded.start()), accepted=False)


def test_production_is_refused_in_a_terminal(loaded: Shop) -> None:
    with pytest.raises(RefusedError, match="nobody approved a load test of production") as error:
        load_target(loaded.context("production"), accepted=True)
    assert error.value.where == "this terminal"


def test_production_is_refused_without_a_review(loaded: Shop) -> None:
    with pytest.raises(RefusedError, match="nobody approved a load test of production"):
        load_target(loaded.context("production", loaded.start()), accepted=True)


@pytest.mark.parametrize(
    ("starter", "login", "environment", "state"),
    [
        ("dev-1", "dev-2", "production-approval", "approved"),
        ("dev-1", "release-manager", "production-approval", "rejected"),
        ("dev-1", "release-manager", "production-deploy", "approved"),
        ("release-manager", "release-manager", "production-approval", "approved"),
    ],
    ids=["who may not", "rejected", "another environment", "their own"],
)
def test_production_is_refused_whatever_others_answered(
    loaded: Shop, starter: str, login: str, environment: str, state: str
) -> None:
    run = loaded.start(starter)
    context = loaded.context("production", run)
    loaded.review(run, login, state, environment=environment)
    with pytest.raises(RefusedError, match="nobody approved a load test of production"):
        load_target(context, accepted=True)


def test_production_is_loaded_when_it_was_approved(loaded: Shop) -> None:
    run = loaded.start("dev-1")
    context = loaded.context("production", run)
    loaded.review(run, "release-manager")
    assert load_target(context, accepted=True).limits.visits_per_second == 5


# what is measured -------------------------------------------------------------------------------------------------------


def test_the_release_that_users_meet(loaded: Shop) -> None:
    commit = loaded.released("v1.0.0", "staging")
    found = serving(loaded.context("staging"), {"backend": "", "web": ""})
    assert (found.release, found.commit) == ("v1.0.0", commit)


def test_two_releases_are_not_measured_as_one(loaded: Shop) -> None:
    loaded.released("v1.0.0", "staging")
    commit = loaded.proved("v1.1.0")
    loaded.host("staging", "backend").put("v1.1.0", commit, loaded.artifacts(commit[:12])["backend"].rpartition("@")[2])
    with pytest.raises(RefusedError, match=r"does not serve one release: backend: v1\.1\.0; web: v1\.0\.0"):
        serving(loaded.context("staging"), {"backend": "", "web": ""})


def test_nothing_is_not_measured(loaded: Shop) -> None:
    with pytest.raises(RefusedError, match="does not serve one release: backend, web: nothing"):
        serving(loaded.context("staging"), {"backend": "", "web": ""})
