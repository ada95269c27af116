"""What one generator process is to do, as data that travels to it; and what is refused before anything is asked."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from loadtests.arrivals import Profile, expected_visits, highest_rate
from pipelines.errors import InputError, RefusedError
from pipelines.manifest.model import Journey, JourneyRequest
from pipelines.overlay import Overlay

MOST_VISITS = 2_000_000
"""In one run: their due times are held in memory."""
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Caps:
    """What no profile may go beyond."""

    rate: float = 100.0
    """Visits a second, at any moment."""
    seconds: float = 3600.0


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a component is."""

    scheme: str
    host: str
    port: int
    path: str = ""
    """What stands before every path of a journey."""
    connect: tuple[str, int, bool] | None = None
    """Host, port and whether by TLS, when an overlay maps the host to this machine; URL, Host and the name checked stay the real ones."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One shard of a run. Holds secrets (`headers`): it goes through a pipe, never on a command line."""

    profile: Profile
    journeys: Mapping[str, Journey]
    addresses: Mapping[str, Address]
    """Component -> where it is. Nothing else is ever asked."""
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Component -> what its requests carry."""
    environment: str
    release: str
    seed: int
    shard: int = 0
    shards: int = 1
    timeout: float = 10.0
    """Seconds for a whole answer; what takes longer has failed."""
    ca: str | None = None
    """File of the authority that an overlay's certificates are signed by."""
    file: str = ""
    """Where the recording goes."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        raw: dict[str, Any] = json.loads(text)
        raw["profile"] = Profile(**{**raw["profile"], "rates": tuple(raw["profile"]["rates"])})
        raw["journeys"] = {name: _journey(journey) for name, journey in raw["journeys"].items()}
        raw["addresses"] = {name: _address_again(address) for name, address in raw["addresses"].items()}
        return cls(**raw)


def _journey(raw: dict[str, Any]) -> Journey:
    requests = [JourneyRequest(**{**request, "contains": tuple(request["contains"])}) for request in raw["requests"]]
    return Journey(**{**raw, "requests": tuple(requests)})


def _address_again(raw: dict[str, Any]) -> Address:
    connect = raw["connect"]
    return Address(**{**raw, "connect": None if connect is None else tuple(connect)})


def checked(
    profile: Profile,
    journeys: Mapping[str, Journey],
    addresses: Mapping[str, str],
    *,
    hosts: Collection[str],
    caps: Caps,
    overlay: Overlay,
    environment: str,
    release: str,
    seed: int,
    headers: Mapping[str, Mapping[str, str]],
    timeout: float,
) -> Plan:
    """The plan of a whole run. `addresses`: component -> URL; `hosts`: those that may be asked.

    Raises RefusedError for a host that is not among `hosts` and for more load than `caps`, InputError for a profile that says nothing and
    for a journey that is not there or has no address.
    """
    taken = {name: journey for name, journey in journeys.items() if journey.weight > 0}
    _check_load(profile, caps)
    _check_journeys(profile, taken, addresses)
    wanted = {journey.component: addresses[journey.component] for journey in taken.values()}
    return Plan(
        profile=profile,
        journeys=taken,
        addresses={name: _address(url, hosts, overlay) for name, url in wanted.items()},
        headers={name: dict(carried) for name, carried in headers.items() if name in wanted},
        environment=environment,
        release=release,
        seed=seed,
        timeout=timeout,
        ca=overlay.ca,
    )


def _check_load(profile: Profile, caps: Caps) -> None:
    rate, where = highest_rate(profile), f"profile {profile.name}"
    for name, asked, cap, unit in (
        ("rate", rate, caps.rate, "visits a second"),
        ("length", profile.seconds, caps.seconds, "s"),
        ("number of visits", expected_visits(profile), MOST_VISITS, "visits"),
    ):
        if asked > cap:
            raise RefusedError(
                f"its {name} is {asked:g} {unit}, and no more than {cap:g} are allowed",
                where=where,
                why="a load test that is far too large is an attack on the platform, even an unintended one",
                next_step="lower the profile, or have the cap raised in the manifest",
            )


def _check_journeys(profile: Profile, taken: Mapping[str, Journey], addresses: Mapping[str, str]) -> None:
    if not taken:
        raise InputError(
            "no journey is taken, so there is nothing to measure",
            where=f"profile {profile.name}",
            next_step="declare `journeys`, and give one a `weight` above 0",
        )
    for name, journey in taken.items():
        if not addresses.get(journey.component):
            raise InputError(
                f"the journey {name!r} is of {journey.component!r}, which has no address here",
                where="journeys",
                next_step="correct `component` of the journey, or add the target",
            )


def _address(url: str, hosts: Collection[str], overlay: Overlay) -> Address:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in PORTS or not host or parts.query or parts.fragment or parts.username:
        raise InputError(
            f"{url!r} is no address to load", where="addresses", next_step="write it like https://api.example.com"
        )
    if host not in hosts:
        raise RefusedError(
            f"{host} is not among the hosts that may be asked",
            where=url,
            why="only what the manifest names is ever put under load",
            next_step=f"name one of: {', '.join(sorted(hosts)) or 'none is'}",
        )
    mapped, connect = overlay.target(host), None
    if mapped is not None:
        target = urlsplit(mapped)
        connect = (target.hostname or "", target.port or PORTS[target.scheme], target.scheme == "https")
    return Address(
        scheme=parts.scheme,
        host=host,
        port=parts.port or PORTS[parts.scheme],
        path=parts.path.rstrip("/"),
        connect=connect,
    )
