"""One GitHub as a whole: its database, its git repositories, its clock, and the runner beside it."""

from __future__ import annotations

import asyncio
import shutil
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from nacl.public import PrivateKey

from rehearsal.github.accounts.rate_limit import RequestCount
from rehearsal.github.accounts.tokens import Token
from rehearsal.github.database import Database
from rehearsal.github.git.bare import BareRepository
from rehearsal.github.git.receiving import install
from rehearsal.github.oidc import OidcIssuer
from rehearsal.github.problems import not_found
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View
from rehearsal.runner.hub import Runner
from rehearsal.runner.model import Event, Run

_EVENTS_KEPT = 1_000


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """An event as a webhook would have delivered it, whether or not it may start workflows."""

    event: Event
    at: datetime
    started: tuple[int, ...]
    """Runs it started."""


class GitHubInstance:
    """Shared by the REST API, GraphQL, git, the pages and the runner's hub. Lives on the event loop's thread."""

    def __init__(self, data: Path, now: Callable[[], datetime]) -> None:
        self.data = data.absolute()
        self.now = now
        self.address = "http://127.0.0.1"
        """Where users and jobs reach it; set once its port is known."""
        self.lag = 0
        """Reads of a list that do not yet see a new release, deployment or tag."""
        self.database = Database()
        self.oidc = OidcIssuer(now)
        self.runner: Runner | None = None
        self.deliveries: deque[Delivery] = deque(maxlen=_EVENTS_KEPT)
        self.downloads: dict[str, tuple[str, str]] = {}
        """Addresses from which logs and artifacts are downloaded: key -> (kind, id)."""
        self.changed = asyncio.Event()
        """Set and replaced whenever something changes that a waiting page shows; see `wait_for_change`."""
        self.on_change: list[Callable[[], None]] = []
        """Called with every change, on the event loop. Must not block."""
        self.queueing = asyncio.Lock()
        """Held while a merge queue is moved on."""
        self._gits: dict[str, BareRepository] = {}

    @cached_property
    def sealing_key(self) -> PrivateKey:
        """Opens the secrets that clients seal for this GitHub."""
        return PrivateKey.generate()

    @property
    def issuer(self) -> str:
        return f"{self.address}/_oidc"

    def view(self, api: str | None = None) -> View:
        """The database with links to this address; `api` when the reader knows the API under another one."""
        return View(database=self.database, api=api or self.address, html=self.address)

    @property
    def hooks(self) -> Path:
        return self.data / "hooks"

    def prepare(self) -> None:
        """Make the data directory and the hook pushes go through."""
        (self.data / "assets").mkdir(parents=True, exist_ok=True)
        (self.data / "repositories").mkdir(parents=True, exist_ok=True)
        install(self.hooks)

    def repository(self, full_name: str) -> Repository:
        """Raises Problem 404 when there is none of that name."""
        found = self.database.repository(full_name)
        if found is None:
            raise not_found()
        return found

    def git(self, repository: Repository) -> BareRepository:
        key = repository.full_name.lower()
        if key not in self._gits:
            self._gits[key] = BareRepository(self.git_path(repository), self.hooks)
        return self._gits[key]

    def git_path(self, repository: Repository) -> Path:
        return self.data / "repositories" / f"{repository.id}.git"

    def asset_path(self, asset_id: int) -> Path:
        return self.data / "assets" / str(asset_id)

    def token(self, value: str) -> Token | None:
        """A live token; None for one that is unknown or past its time."""
        token = self.database.tokens.get(value)
        if token is None or (token.expires_at is not None and token.expires_at <= self.now()):
            return None
        return token

    def run(self, repository: Repository, run_id: int) -> Run:
        """Raises Problem 404 when the repository has no such run."""
        run = self.runner.runs.get(run_id) if self.runner is not None else None
        if run is None or run.repository.lower() != repository.full_name.lower():
            raise not_found()
        return run

    def runs(self, repository: Repository) -> list[Run]:
        """The repository's workflow runs, newest first."""
        if self.runner is None:
            return []
        mine = [run for run in self.runner.runs.values() if run.repository.lower() == repository.full_name.lower()]
        return sorted(mine, key=lambda run: run.id, reverse=True)

    def requests(self, run: Run) -> RequestCount:
        """How many requests the tokens of a run's jobs have made so far."""
        found = self.database.repository(run.repository)
        return found.requests.get(run.id, RequestCount()) if found is not None else RequestCount()

    def notify(self) -> None:
        """Wake every page that waits for a change, and notify the listeners."""
        self.changed.set()
        self.changed = asyncio.Event()
        for listener in self.on_change:
            listener()

    async def wait_for_change(self, seconds: float) -> bool:
        """Wait for the next change; False when none came in time."""
        try:
            await asyncio.wait_for(self.changed.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """End the git processes that are kept open."""
        await asyncio.gather(*(git.close() for git in self._gits.values()))

    def forget(self) -> None:
        """Drop all state and everything on disk."""
        self.database = Database()
        self.deliveries.clear()
        self.downloads.clear()
        for git in self._gits.values():
            git.abandon()
        self._gits = {}
        shutil.rmtree(self.data, ignore_errors=True)
        self.prepare()
