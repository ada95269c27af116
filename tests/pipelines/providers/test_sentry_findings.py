"""What doctor finds at the trackers of sites: whether the terminal's token may bring source maps, without bringing any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from pipelines.faults import Policy
from pipelines.findings import Finding
from pipelines.http import Http
from pipelines.manifest import parse
from pipelines.overlay import Overlay
from pipelines.providers import sentry_findings
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.serving import running
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world
TRACKER = "    error_tracker: {{url: https://de.sentry.io, organization: techmate, project: {project}}}\n"


@dataclass
class Place:
    """A Sentry, and a platform whose site names it."""

    sentry: Sentry = field(default_factory=lambda: Sentry(tokens={"publisher": ("org:ci",), "reader": ("org:read",)}))
    faults: Faults = field(default_factory=Faults)
    http: Http = field(default_factory=Http)

    def find(self, token: str = "publisher", project: str = "web", environment: str = "production") -> list[Finding]:
        web = "    paths: [apps/web/**]\n"
        manifest = parse(MANIFEST.replace(web, web + TRACKER.format(project=project)))
        return list(sentry_findings.look(manifest, [environment], self.http, token))


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    with running(Faulty(made.sentry.app, "sentry", made.faults), "sentry") as server:
        made.http = Http(overlay=Overlay(hosts={"de.sentry.io": server.url}), policy=Policy(scale=0.0))
        yield made


def test_a_token_that_may_is_found_so_and_brings_nothing(place: Place) -> None:
    [found] = place.find()
    assert (found.subject, found.state) == ("Sentry, web: techmate/web", "ok")
    assert (place.sentry.organization.chunks, place.sentry.organization.assemblies) == ({}, {})
    assert list(sentry_findings.look(parse(MANIFEST), ["production"], place.http, "publisher")) == [], "none is named"


@pytest.mark.parametrize(
    ("find", "state", "says", "fix"),
    [
        (lambda place: place.find(token=""), "unknown", "SENTRY_AUTH_TOKEN of this terminal", ""),
        (lambda place: place.find(token="reader"), "missing", "HTTP 403", "make a token of the organization"),
        (lambda place: place.find(token="another"), "missing", "HTTP 401", "replace the secret SENTRY_AUTH_TOKEN"),
        (lambda place: place.find(project="desktop"), "missing", "One or more projects are invalid", "Sentry's words"),
    ],
)
def test_what_keeps_source_maps_out(
    place: Place, find: Callable[[Place], list[Finding]], state: str, says: str, fix: str
) -> None:
    [found] = find(place)
    assert found.state == state
    assert says in found.says
    assert fix in found.fix


def test_a_tracker_that_does_not_answer_is_unknown(place: Place) -> None:
    place.faults.add(Fault(kind="cut", times=None))
    [found] = place.find()
    assert (found.state, found.fix) == ("unknown", "")
