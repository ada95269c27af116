"""A site's source maps go to its tracker by a step of the plan, and nothing about them stops a delivery."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipelines import images
from pipelines.delivery.context import Context, Release
from pipelines.delivery.steps.base import Facts
from pipelines.delivery.steps.source_maps import UploadSourceMaps
from pipelines.errors import ProviderError
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.manifest import parse
from pipelines.overlay import Overlay
from pipelines.providers import Credentials
from pipelines.runtime import Runtime
from pipelines.site_builds import debug_ids
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.serving import running
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world
TRACKER = "    error_tracker: {url: https://de.sentry.io, organization: techmate, project: web}\n"
WITH_TRACKER = MANIFEST.replace("    paths: [apps/web/**]\n", f"    paths: [apps/web/**]\n{TRACKER}")
FACTS = Facts(
    environment="production", component="web", release="v2", digest="sha256:" + "a" * 64, tracker="techmate/web at x"
)


@dataclass
class Place:
    """A build in a registry, and a Sentry."""

    build: Path
    sentry: Sentry = field(default_factory=lambda: Sentry(tokens={"publisher": ("org:ci",), "reader": ("org:read",)}))
    faults: Faults = field(default_factory=Faults)
    http: Http = field(default_factory=Http)
    log: io.StringIO = field(default_factory=io.StringIO)

    def run(self, token: str = "publisher") -> str:
        runtime = Runtime(environ={"GITHUB_ACTIONS": "true"}, stream=self.log)
        context = Context(
            manifest=parse(WITH_TRACKER),
            environment="production",
            runtime=runtime,
            http=self.http,
            credentials=Credentials(http=self.http, runtime=runtime, sentry_token=token),
            release=Release(name="v2", commit="c" * 40, artifacts={"web": f"registry.test/web@{FACTS.digest}"}),
        )
        (step,) = UploadSourceMaps.plan([FACTS])
        assert step.already(context) == ""
        return step.run(context)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    made = Place(tmp_path / "dist")
    made.build.mkdir()
    (made.build / "app.js").write_text("run()")
    (made.build / "app.js.map").write_text('{"version": 3, "sources": ["app.ts"], "names": [], "mappings": "AAAA"}')

    def pull(reference: str, folder: Path, **_: Any) -> Path:
        assert reference == f"registry.test/web@{FACTS.digest}"
        return Path(shutil.copytree(made.build, folder))

    monkeypatch.setattr(images, "pull_files", pull)
    with running(Faulty(made.sentry.app, "sentry", made.faults), "sentry") as server:
        made.http = Http(overlay=Overlay(hosts={"de.sentry.io": server.url}), policy=Policy(scale=0.0))
        yield made


def test_only_what_has_a_tracker_has_the_step_and_it_says_where_to() -> None:
    (step,) = UploadSourceMaps.plan([FACTS, Facts(environment="production", component="backend", release="v2")])
    assert (step.component, step.says) == ("web", "upload source maps to techmate/web at x")
    assert json.loads(json.dumps(step.as_data())) == {
        "step": "source-maps", "component": "web", "release": "v2", "digest": FACTS.digest, "tracker": "techmate/web at x",
    }  # fmt: skip


def test_what_was_built_is_at_the_tracker(place: Place) -> None:
    [found] = debug_ids.inject(place.build)
    assert place.run() == place.run() == "1 source map is at Sentry"
    assert place.sentry.organization.source_maps("web") == {found.debug_id: (place.build / "app.js.map").read_text()}
    assert place.log.getvalue() == ""


def registry_down(*_: Any, **__: Any) -> Path:
    raise ProviderError("the registry is down", where="registry.test", next_step="run this again")


@pytest.mark.parametrize(
    ("token", "upset", "words"),
    [
        ("", lambda place: None, ("SENTRY_AUTH_TOKEN does not exist", "make a token of the organization")),
        ("reader", lambda place: None, ("neither the scope org:ci nor project:releases", "components/web/error_tracker")),
        ("another", lambda place: None, ("does not accept the token", "replace the secret SENTRY_AUTH_TOKEN")),
        ("publisher", lambda place: place.faults.add(Fault(kind="cut", times=None)), ("still failing after", "de.sentry.io")),
        ("publisher", lambda place: setattr(images, "pull_files", registry_down), ("registry is down",)),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_a_warning_with_what_to_do(
    place: Place, token: str, upset: Callable[[Place], object], words: tuple[str, ...]
) -> None:
    debug_ids.inject(place.build)
    upset(place)
    assert place.run(token).startswith("its source maps are not at techmate/web at x (")
    (warning,) = [line for line in place.log.getvalue().splitlines() if line.startswith("::warning")]
    assert all(word in warning for word in words), warning


def test_a_build_from_before_says_how_it_gets_debug_ids(place: Place) -> None:
    assert "no script of web has a source map and a debug id" in place.run()
    assert "deliver a commit that is built anew" in place.log.getvalue()
