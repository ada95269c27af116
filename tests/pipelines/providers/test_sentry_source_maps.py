"""Source maps are brought to the emulated Sentry: what it lacks of them, killed anywhere, and to no host that it names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import CredentialsError, ProviderError, ProviderUnavailable, ShipmateError
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.manifest.error_tracker import ErrorTracker
from pipelines.overlay import Overlay
from pipelines.providers import sentry_source_maps
from pipelines.providers.sentry_source_maps import SentrySourceMaps, bundled
from pipelines.site_builds import debug_ids
from pipelines.site_builds.debug_ids import Mapped
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.serving import running

pytestmark = pytest.mark.world
ROOT = "/api/0/organizations/techmate"
OPTIONS, SEND, ASSEMBLE = (
    f"GET {ROOT}/chunk-upload/",
    f"POST {ROOT}/chunk-upload/",
    f"POST {ROOT}/artifactbundle/assemble/",
)


@dataclass
class Place:
    """A Sentry, reached by its public name, and a build."""

    folder: Path
    sentry: Sentry
    faults: Faults = field(default_factory=Faults)
    asked: list[str] = field(default_factory=list)
    http: Http = field(default_factory=Http)
    files: list[Mapped] = field(default_factory=list)

    def maps(self, token: str = "publisher", project: str = "web") -> SentrySourceMaps:
        tracker = ErrorTracker(organization="techmate", project=project)
        return SentrySourceMaps(tracker, self.http, token, section="components/web/error_tracker")

    def upload(self, **more: Any) -> bool:
        self.asked.clear()
        return self.maps(**more).upload(self.folder, self.files)

    @property
    def held(self) -> dict[str, str]:
        return self.sentry.organization.source_maps("web")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    for name in ("app", "other"):
        (tmp_path / f"{name}.js").write_text(f"{name}()")
        document = {"version": 3, "sources": [f"{name}.ts"], "names": [], "mappings": "AAAA"}
        (tmp_path / f"{name}.js.map").write_text(json.dumps(document))
    sentry = Sentry(tokens={"reader": ("org:read",), "publisher": ("org:ci",), "release": ("project:releases",)})
    sentry.organization.chunk_size = 400
    made = Place(tmp_path, sentry, files=debug_ids.inject(tmp_path))
    violations: list[Violation] = []

    async def noted(scope: Any, receive: Any, send: Any) -> None:
        made.asked.append(f"{scope['method']} {scope['path']}")
        await faulty(scope, receive, send)

    faulty = Faulty(Checked(sentry.app, load("sentry"), violations), "sentry", made.faults)
    with running(noted, "sentry") as server:
        made.http = Http(overlay=Overlay(hosts={"sentry.io": server.url}), policy=Policy(scale=0.0))
        yield made
    assert [violation.text for violation in violations] == []


def test_what_is_there_is_what_was_built_and_is_sent_once(place: Place) -> None:
    assert place.upload()
    assert place.held == {each.debug_id: (place.folder / each.map).read_text() for each in place.files}
    (bundle,) = place.sentry.organization.bundles.values()
    assert {(file.url, file.type) for file in bundle.files} == {
        (f"~/{name}", kind)
        for each in place.files
        for name, kind in ((each.script, "minified_source"), (each.map, "source_map"))
    }
    assert place.asked == [OPTIONS, ASSEMBLE, SEND, ASSEMBLE, ASSEMBLE, ASSEMBLE]
    assert place.upload(token="release")
    assert place.asked == [OPTIONS, ASSEMBLE], "asked again it is there"


def test_only_the_chunks_that_are_missing_are_sent(place: Place) -> None:
    assert place.upload()
    organization = place.sentry.organization
    organization.assemblies.clear()
    before = dict(organization.chunks)
    lost = list(before)[1]
    del organization.chunks[lost]
    assert place.upload()
    assert organization.chunks == before
    assert [name for name, content in organization.chunks.items() if content is not before[name]] == [lost]


@pytest.mark.parametrize("number", range(6))
def test_killed_at_any_request_it_is_finished_by_another_call(place: Place, number: int) -> None:
    for one in (Fault(kind="lose_answer", after=number), Fault(kind="cut", times=None, after=number + 1)):
        place.faults.add(one)
    killed = Http(overlay=place.http.overlay, policy=Policy(scale=0.0, tries=1))
    maps = SentrySourceMaps(ErrorTracker(organization="techmate", project="web"), killed, "publisher", section="x")
    with pytest.raises(ProviderUnavailable):
        maps.upload(place.folder, place.files)
    place.faults.clear()
    assert place.upload()
    assert len(place.held) == 2


@pytest.mark.parametrize("path", ["chunk-upload", "assemble"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="throttle", retry_after=0, times=2),
        Fault(kind="status", status=503, times=2),
        Fault(kind="lose_answer"),
    ],
    ids=lambda fault: fault.kind,
)
def test_what_passes_is_tried_again(place: Place, path: str, fault: Fault) -> None:
    place.faults.add(replace(fault, path=path))
    assert place.upload()
    assert len(place.held) == 2


def test_many_chunks_go_in_as_many_requests_as_sentry_asks_for(place: Place) -> None:
    batches = sentry_source_maps._batches([b"12", b"34", b"5", b"6789"], 3, 5)
    assert batches == [[b"12", b"34", b"5"], [b"6789"]]
    assert sentry_source_maps._batches([b"1", b"2", b"3"], 2, 5) == [[b"1", b"2"], [b"3"]]
    assert sentry_source_maps._batches([], 2, 5) == []


def test_the_same_build_is_the_same_bundle(place: Place) -> None:
    tracker = ErrorTracker(organization="techmate", project="web")
    made = bundled(place.folder, place.files, tracker)
    assert made == bundled(place.folder, place.files, tracker)
    assert made.startswith(b"SYSB\x02\x00\x00\x00PK")


def refusal(place: Place, answer: Any, path: str = "chunk-upload") -> ShipmateError:
    place.faults.add(Fault(kind="status", status=200, path=path, body=answer))
    with pytest.raises(ShipmateError) as raised:
        place.upload()
    return raised.value


def test_an_answer_that_is_none_of_sentrys_is_reported(place: Place) -> None:
    good = {
        "chunkSize": 9,
        "chunksPerRequest": 9,
        "maxRequestSize": 99,
        "hashAlgorithm": "sha1",
        "accept": ["release_files"],
    }
    assert "takes no source maps by debug ids" in refusal(place, good).what
    assert "takes no source maps by debug ids" in refusal(place, good | {"hashAlgorithm": "md5"}).what
    assert "has no chunkSize" in refusal(place, {}).what
    assert "has no chunkSize" in refusal(place, []).what
    odd: dict[str, Any] = {
        "chunkSize": "many",
        "chunksPerRequest": -1,
        "accept": 5,
        "hashAlgorithm": [],
        "maxRequestSize": 0.5,
    }
    for key, value in odd.items():
        assert f"has no {key}" in refusal(place, good | {key: value}).what
    assert "takes no source maps by debug ids" in refusal(place, good | {"accept": [{}]}).what
    assert "has no list of missingChunks" in refusal(place, {"state": "created", "missingChunks": 5}, "assemble").what
    assert (
        "has no list of missingChunks" in refusal(place, {"state": "created", "missingChunks": [[]]}, "assemble").what
    )
    assert "has no state" in refusal(place, {"state": ["ok"]}, "assemble").what
    assert "has no state" in refusal(place, {}, "assemble").what
    error = refusal(place, {"state": "error", "detail": "too large", "missingChunks": []}, "assemble")
    assert isinstance(error, ProviderError)
    assert "too large" in error.what


def test_who_may_not_is_refused_with_what_to_do(place: Place) -> None:
    for token, words in (("reader", "neither the scope org:ci nor project:releases"), ("another", "SENTRY_AUTH_TOKEN")):
        with pytest.raises(CredentialsError) as raised:
            place.upload(token=token)
        assert words in str(raised.value)
    with pytest.raises(ProviderError, match="One or more projects are invalid"):
        place.upload(project="desktop")
    with pytest.raises(CredentialsError, match="there is no Sentry token"):
        place.maps(token="").require_token()
    assert place.held == {}


def test_the_token_goes_to_no_host_that_an_answer_names(place: Place) -> None:
    """What it would have sent to is the address of shipmate.yml; a redirect is not followed."""
    good = {
        "chunkSize": 400,
        "chunksPerRequest": 9,
        "maxRequestSize": 9999,
        "hashAlgorithm": "sha1",
        "accept": ["artifact_bundles"],
    }
    place.faults.add(
        Fault(kind="status", status=200, path="chunk-upload", body=good | {"url": "https://elsewhere.test/"})
    )
    assert place.upload()
    assert SEND in place.asked


def test_a_bundle_that_sentry_still_works_on_is_not_waited_for_for_ever(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.sentry.organization.chunk_size = 10_000
    working: dict[str, Any] = {"state": "assembling", "detail": None, "missingChunks": []}
    place.faults.add(Fault(kind="status", status=200, path="assemble", body=working, times=None))
    monkeypatch.setattr(sentry_source_maps, "LIMIT", 0.05)
    assert not place.upload()


def test_a_sentry_that_keeps_no_chunk_is_no_success(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.faults.add(Fault(kind="status", status=200, method="POST", path="chunk-upload", body={}, times=None))
    monkeypatch.setattr(sentry_source_maps, "LIMIT", 0.2)
    with pytest.raises(ProviderError, match="still lacks"):
        place.upload()


def test_parts_that_are_equal_are_named_wherever_they_stand(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.sentry.organization.chunk_size = 1
    monkeypatch.setattr(sentry_source_maps, "bundled", lambda *_: b"abab")
    place.faults.add(Fault(kind="status", status=200, path="assemble", body={"state": "ok"}))
    sent: list[Any] = []
    request = place.http.request

    def noted(method: str, url: str, **options: Any) -> Any:
        sent.append(options.get("json"))
        return request(method, url, **options)

    monkeypatch.setattr(place.http, "request", noted)
    assert place.upload()
    one, two, *again = sent[-1]["chunks"]
    assert [one, two] == again
