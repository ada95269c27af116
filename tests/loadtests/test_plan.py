"""What is refused before anything is asked, and that a plan arrives as it was sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtests.arrivals import Profile
from loadtests.plan import Address, Caps, Plan, checked
from loadtests.run import run
from pipelines.errors import InputError, RefusedError
from pipelines.manifest import load
from pipelines.manifest.model import Journey, JourneyRequest
from pipelines.overlay import Overlay

JOURNEYS = {"read": Journey(component="backend", requests=(JourneyRequest(path="/notes"),))}
PROFILE = Profile(name="average", rate=5, seconds=60)
URL = "https://api.test"


def plan(profile: Profile = PROFILE, url: str = URL, **more: Any) -> Plan:
    return checked(
        profile,
        more.pop("journeys", JOURNEYS),
        {"backend": url},
        **{
            "hosts": ["api.test"],
            "caps": Caps(rate=50, seconds=600),
            "overlay": Overlay(),
            "environment": "staging",
            "release": "v1.0.0",
            "seed": 1,
            "headers": {},
            "timeout": 10.0,
            **more,
        },
    )


def test_a_plan_arrives_as_it_was_sent() -> None:
    declared = load(Path(__file__).parents[2] / "shipmate.yml").journeys
    sent = replace(
        checked(
            replace(PROFILE, arrivals="replay", rates=(1.0, 2.0)),
            declared,
            {"backend": URL, "web": "https://web.test/app/"},
            hosts=["api.test", "web.test"],
            caps=Caps(),
            overlay=Overlay(hosts={"api.test": "https://127.0.0.1:4443"}, ca="/tmp/ca.pem"),  # noqa: S108 - a name
            environment="staging",
            release="v1.0.0",
            seed=9,
            headers={"backend": {"X-Shipmate-Load": "token"}},
            timeout=5.0,
        ),
        shard=2,
        shards=3,
        file="a.json",
    )
    assert Plan.from_json(sent.to_json()) == sent
    assert sent.addresses["backend"] == Address(
        scheme="https", host="api.test", port=443, connect=("127.0.0.1", 4443, True)
    )
    assert sent.addresses["web"] == Address(scheme="https", host="web.test", port=443, path="/app")


@pytest.mark.parametrize("url", ["https://other.test", "https://api.test.evil.test", "http://127.0.0.1:80"])
def test_a_host_that_is_not_named_is_refused(url: str) -> None:
    with pytest.raises(RefusedError, match="not among the hosts"):
        plan(url=url)


@pytest.mark.parametrize("url", ["ftp://api.test", "api.test", "https://api.test?x=1", "https://me@api.test", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        plan(url=url)


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (replace(PROFILE, rate=51), "rate is 51"),
        (replace(PROFILE, arrivals="ramp", from_rate=51), "rate is 51"),
        (replace(PROFILE, arrivals="replay", rates=(1.0, 500.0)), "rate is 500"),
        (replace(PROFILE, seconds=601), "length is 601"),
    ],
)
def test_a_load_beyond_the_cap_is_refused(profile: Profile, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        plan(profile)


def test_more_visits_than_memory_holds_are_refused() -> None:
    with pytest.raises(RefusedError, match="number of visits"):
        plan(replace(PROFILE, rate=5000, seconds=86400), caps=Caps(rate=1e9, seconds=1e9))


def test_a_profile_of_no_journey_measures_nothing() -> None:
    with pytest.raises(InputError, match="nothing to measure"):
        plan(journeys={"read": replace(JOURNEYS["read"], weight=0.0)})


def test_a_journey_without_an_address_is_refused_unless_it_is_not_taken() -> None:
    web = Journey(component="web", requests=(JourneyRequest(path="/"),))
    with pytest.raises(InputError, match="no address here"):
        plan(journeys={**JOURNEYS, "open": web})
    assert set(plan(journeys={**JOURNEYS, "open": replace(web, weight=0.0)}).addresses) == {"backend"}


def test_the_door_refuses_before_any_process_begins() -> None:
    with pytest.raises(RefusedError, match="not among the hosts"):
        run(PROFILE, JOURNEYS, {"backend": "https://elsewhere.test"}, hosts=["api.test"], environment="staging")
    with pytest.raises(RefusedError, match="rate is 5 visits"):
        run(PROFILE, JOURNEYS, {"backend": URL}, hosts=["api.test"], environment="staging", caps=Caps(rate=1))
    with pytest.raises(InputError, match="make no run"):
        run(PROFILE, JOURNEYS, {"backend": URL}, hosts=["api.test"], environment="staging", shard=2, shards=2)
