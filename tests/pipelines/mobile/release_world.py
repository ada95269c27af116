"""Opens a release of the apps: every provider emulated on loopback, and the jobs' clients led there."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from pipelines.clock import Clock
from pipelines.faults import Policy
from pipelines.mobile import clients
from pipelines.mobile import context as contexts
from pipelines.overlay import Overlay
from pipelines.providers import eas as eas_provider
from pipelines.providers.eas_program import Ended
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.eas.state import Pace
from rehearsal.emulators.google_play.app import GooglePlay
from rehearsal.emulators.slack.app import Slack
from rehearsal.faults import Faults, Faulty
from rehearsal.runner.model import Event, Run
from rehearsal.serving import running
from tests.pipelines.mobile.expo import TOKEN as EXPO_TOKEN
from tests.pipelines.mobile.expo import expo
from tests.pipelines.mobile.release_run import CountedHttp, Deaths
from tests.pipelines.mobile.releasing import FILE, HOOK, MANIFEST, ROOT, Release
from tests.rehearsal.emulators.app_store_client import BUNDLE, PEM
from tests.rehearsal.emulators.app_store_client import Client as Apple
from tests.shop import REPOSITORY, open_shop


@contextmanager
def open_release(folder: Path) -> Iterator[Release]:
    """Nothing of the apps was ever tagged; Play has 1 in production and internal testing. At the end no call may have been against a
    provider's own description."""
    violations: list[Violation] = []
    with ExitStack() as stack:
        shop = stack.enter_context(open_shop(folder / "shop"))
        (folder / "expo").mkdir()
        builder = stack.enter_context(expo(folder / "expo"))
        apple = Apple(folder / "apple")
        builder.time = builder.emulator.account.clock = apple.clock  # type: ignore[assignment]
        builder.account.pace = Pace(queue=15.0, build=30.0)
        play = GooglePlay(folder / "play", packages=[BUNDLE], clock=apple.clock)
        play.console.quota(BUNDLE, 1_000_000)
        slack = Slack(channels=("deployments",), webhooks={HOOK.partition("/services/")[2]: "#deployments"})
        faults, served = Faults(), {}
        for name, app, contracts, hosts in (
            ("google-play", play.app, play.contract, play.hosts),
            ("app-store", apple.app_store.app, ("app-store",), apple.app_store.hosts),
            ("slack", slack.app, (), slack.hosts),
        ):
            checked = app
            for contract in contracts:
                checked = Checked(checked, load(contract), violations)
            server = stack.enter_context(running(Faulty(checked, name, faults), name))
            served.update(dict.fromkeys(hosts, server.url))
        shop.writes = deaths = Deaths()
        http = CountedHttp(
            overlay=Overlay(hosts={**dict.fromkeys(builder.emulator.hosts, builder.program.base), **served}),
            policy=Policy(tries=3, scale=0.0),
        )
        http.writes = deaths
        stores = {"EXPO_TOKEN": EXPO_TOKEN, "APP_STORE_KEY": PEM, "SLACK_WEBHOOK": HOOK}
        made = Release(
            shop=shop, expo=builder, play=play, apple=apple, slack=slack, http=http, folder=folder, deaths=deaths, faults=faults,
            secrets={"mobile-build": {"EXPO_TOKEN": EXPO_TOKEN}, "mobile-stores": stores},
        )  # fmt: skip
        _prepare(made)
        for target, replacement in _replaced(made).items():
            stack.enter_context(mock.patch(target, replacement))
        yield made
    assert [violation.text for violation in (*violations, *apple.violations)] == []


def _prepare(release: Release) -> None:
    shop = release.shop
    shop.do(shop.github.seed.protect_tags, REPOSITORY, ("mobile-v*",), name="tags mobile-v*")
    shop.commit("ci: releases of the apps", files={"shipmate.yml": MANIFEST, FILE: (ROOT / FILE).read_text()})

    async def dispatch(event: Event, path: str) -> Run:
        assert set(event.payload["inputs"]) <= {"above"}, "an input that the workflow does not have"
        shop.runner.events.append(event)
        return shop.runner._begin(event, path, "Mobile Release", "verify")

    shop.runner.dispatch = dispatch  # type: ignore[method-assign]


def _replaced(release: Release) -> dict[str, Any]:
    """Where the jobs reach the outside: the same clients, but counted, on one clock, with eas in this process."""
    open_context, app_store, Eas = contexts.open_context, clients.app_store, eas_provider.Eas

    def opened(*arguments: Any, **options: Any) -> contexts.Context:
        found = open_context(*arguments, **options)
        found.access = replace(found.access, http=release.http)
        if found.github is not None:
            found.github = release.shop.client(found.github.token)
        found.clock = Clock(real=release.apple.clock, wait=release.apple.clock.forward)
        return found

    def signed(settings: Any, access: clients.Access) -> Any:
        made = app_store(settings, access)
        made._now = release.apple.clock
        return made

    def run(words: Any, *, folder: Path, environ: Mapping[str, str], **options: Any) -> Ended:
        release.programs.append((words[0], folder, dict(environ)))
        writes = words[0] in ("build", "build:cancel")
        with release.deaths.one(f"eas {words[0]}") if writes else contextlib.nullcontext():
            return release.expo.run(words, folder=folder, environ=environ, **options)

    return {
        "pipelines.mobile.context.open_context": opened,
        "pipelines.mobile.clients.app_store": signed,
        "pipelines.providers.eas.Eas": functools.partial(Eas, run=run),
        "release.publishing.publish._pause": release.apple.clock.forward,
        "release.publishing.lease._machine": lambda: f"runner-{release._number}",
    }
