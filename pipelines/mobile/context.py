"""What a release of the apps works with: the policy, the commit's tree as data, and the clients of GitHub, EAS and the stores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import CredentialsError, InputError

if TYPE_CHECKING:
    from pipelines.clock import Clock
    from pipelines.github import GitHub
    from pipelines.history import History
    from pipelines.http import Http
    from pipelines.manifest import Manifest
    from pipelines.manifest.mobile import AppStore as AppStoreSettings
    from pipelines.manifest.mobile import Mobile, Platform, PlayStore
    from pipelines.mobile.clients import Access
    from pipelines.mobile.plan import Plan
    from pipelines.mobile.results import Result
    from pipelines.providers.app_store import AppStore
    from pipelines.providers.eas import Eas
    from pipelines.providers.google_play import Play
    from pipelines.runtime import Runtime

WORK = Path("build/mobile")
"""Where the jobs of a run exchange files, below the workspace."""
SOURCE = Path("source")
"""Where the tagged commit is checked out, as data."""
TASK = "shipmate:mobile"
"""Of the ledger's records."""


@dataclass(kw_only=True)
class Context:
    """One job of a release. The manifest is the default branch's; nothing of it comes from the tagged commit."""

    manifest: Manifest
    mobile: Mobile
    runtime: Runtime
    access: Access
    github: GitHub | None
    source: Path = SOURCE
    work: Path = WORK
    tag: str = ""
    commit: str = ""
    above: Mapping[Platform, int] = field(default_factory=dict)
    """Numbers that turned out to be used by something else, though no store shows them."""
    plan: Plan | None = None
    published: bool = False
    """Whether the release is out, with everything that belongs to it."""
    seen: dict[Platform, set[int]] = field(default_factory=dict)
    """Build numbers that EAS and the store show."""
    results: dict[Platform, Result] = field(default_factory=dict)
    """What became of each platform, as far as this job knows."""
    history: History | None = None
    """Where what happens is written down for people."""

    @property
    def http(self) -> Http:
        return self.access.http

    @property
    def environment(self) -> str:
        """Whose records in the ledger are the apps'."""
        stores = [store.environment for store in (self.mobile.android, self.mobile.ios) if store is not None]
        return stores[0]

    @property
    def app(self) -> Path:
        """The app's folder in the tagged commit."""
        return self.source / self.mobile.app

    @property
    def release(self) -> Plan:
        """Raises InputError before it is planned."""
        if self.plan is None:
            raise InputError("nothing is planned", where=self.tag, next_step="re-run all jobs of the workflow")
        return self.plan

    @property
    def hub(self) -> GitHub:
        """Raises CredentialsError without a token."""
        if self.github is None:
            raise CredentialsError("GitHub is needed here", next_step="pass `token: ${{ github.token }}`")
        return self.github

    @cached_property
    def clock(self) -> Clock:
        """All waiting goes by it."""
        from pipelines.clock import Clock

        return Clock.of(self.http.policy)

    @cached_property
    def eas(self) -> Eas:
        """EAS, for what needs the project and nothing of the app: it works in a folder that is made of the policy alone, as eas evaluates
        the configuration that it finds."""
        return self.eas_in(_project(self.work / "project", self.mobile))

    def eas_in(self, folder: Path) -> Eas:
        """EAS at work in a folder."""
        from pipelines.providers.eas import Eas

        return Eas(
            folder=folder,
            token=self.access.expo_token,
            environ=self.runtime.environ,
            say=self.runtime.say,
            policy=self.http.policy,
        )

    @property
    def android(self) -> PlayStore:
        """Raises InputError for a platform without an Android app."""
        if self.mobile.android is None:
            raise InputError("there is no Android app", where="mobile/android", next_step="declare it in shipmate.yml")
        return self.mobile.android

    @property
    def ios(self) -> AppStoreSettings:
        """Raises InputError for a platform without an iOS app."""
        if self.mobile.ios is None:
            raise InputError("there is no iOS app", where="mobile/ios", next_step="declare it in shipmate.yml")
        return self.mobile.ios

    @cached_property
    def play(self) -> Play:
        """Raises InputError for a platform without an Android app."""
        from pipelines.mobile import clients

        return clients.play(self.android, self.access)

    @cached_property
    def app_store(self) -> AppStore:
        """Raises InputError for a platform without an iOS app."""
        from pipelines.mobile import clients

        return clients.app_store(self.ios, self.access)


def _project(folder: Path, mobile: Mobile) -> Path:
    """A folder in which eas knows which project is meant."""
    eas = mobile.eas
    expo = {"name": eas.slug, "slug": eas.slug, "owner": eas.account, "extra": {"eas": {"projectId": eas.project}}}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "app.json").write_text(json.dumps({"expo": expo}))
    (folder / "package.json").write_text(json.dumps({"name": eas.slug, "private": True}))
    return folder


def open_context(manifest: Manifest, runtime: Runtime, *, token: str = "", access: Access | None = None) -> Context:
    """A context as an edge needs it; what is not passed is taken from GITHUB_TOKEN (GH_TOKEN) and as `clients.of_terminal` does.

    Raises InputError for a platform without apps.
    """
    from pipelines.github import GitHub
    from pipelines.http import Http
    from pipelines.mobile import clients

    if manifest.mobile is None:
        raise InputError(
            "no apps are declared",
            where=manifest.file.name,
            next_step="declare them under `mobile:` (docs/MANIFEST.md, docs/MOBILE.md)",
        )
    env = runtime.environ
    token = token or env.get("GITHUB_TOKEN", "") or env.get("GH_TOKEN", "")
    repository = env.get("GITHUB_REPOSITORY") or manifest.platform.repository
    api_url = env.get("GITHUB_API_URL") or "https://api.github.com"
    return Context(
        manifest=manifest,
        mobile=manifest.mobile,
        runtime=runtime,
        access=access or clients.of_terminal(Http(), env, runtime.mask),
        github=GitHub(repository, token, api_url=api_url) if token else None,
    )
