"""Hosts whose deployments live in memory and answer over real HTTP; their writes are counted, and a process can die at each."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.errors import ConflictError, CredentialsError, InputError
from pipelines.providers.marks import require_lock, with_stable
from pipelines.roles import Artifact, Deployed, Identity, Live, Marks


class Killed(BaseException):
    """As if the process had been killed."""


@dataclass
class Writes:
    """Every write to the outside, in order; the process dies right before or after number `last` (counted from 1)."""

    seen: list[str] = field(default_factory=list)
    last: int = 0
    after_effect: bool = False
    meanwhile: dict[int, Callable[[], object]] = field(default_factory=dict)
    """What someone else does between the moment in which write number N was decided, and its effect."""

    @contextmanager
    def one(self, what: str) -> Iterator[None]:
        self.seen.append(what)
        fatal = len(self.seen) == self.last
        self.meanwhile.pop(len(self.seen), lambda: None)()
        if fatal and not self.after_effect:
            raise Killed(what)
        yield
        if fatal:
            raise Killed(what)

    def kill_at(self, number: int, *, after_effect: bool) -> None:
        self.seen.clear()
        self.last, self.after_effect = number, after_effect

    def spare(self) -> None:
        self.last = 0


@dataclass
class MemoryHost:
    """A Host as roles.Host says it: deployments newest first, traffic in per cent, our marks."""

    url: str
    gradual: bool
    writes: Writes
    deployments: list[Deployed] = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)
    sick: set[str] = field(default_factory=set)
    """Releases that answer 503 at the public address."""
    worries: tuple[str, ...] = ()
    unmapped: bool = False
    """The public address leads nowhere."""
    dead: set[str] = field(default_factory=set)
    """Releases that answer 503 wherever they are asked."""
    closed: bool = False
    """Whether candidates are protected, and nothing lets us in."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def live(self) -> Live:
        return Live(url=self.url, deployments=tuple(self.deployments), marks=self.marks)

    def stage(self, artifact: Artifact, identity: Identity) -> Deployed:
        found = self.live().of(identity.release, artifact.digest)
        if found is not None:
            return found
        with self.writes.one(f"stage {identity.release} at {self.url}"):
            return self._add(identity, 0)

    def shift(self, key: str, percent: int, *, lock: str = "") -> Live:
        """`gradual` ones write on condition, as Cloud Run does by its etag; others look before and after, as on an alias."""
        require_lock(self.marks, lock, self.url)
        before = self.serving()
        if percent != 100 and not self.gradual:
            raise InputError(f"{percent} % of the traffic", where=self.url)
        if self.live().find(key) is None:
            raise ConflictError(f"{key} is gone", where=self.url)
        with self.writes.one(f"shift {key} to {percent} %"):
            if self.gradual:
                require_lock(self.marks, lock, self.url)
                if before != self.serving():
                    raise ConflictError("the traffic was changed by someone else", where=self.url)
            self.move(key, percent)
            if lock and self.marks.lock is None and not self.gradual:
                self.move(self.marks.stable[0], 100)
        require_lock(self.marks, lock, self.url)
        return self.live()

    def move(self, key: str, percent: int) -> None:
        """As someone does who goes round us."""
        rest = next((d.key for d in self.live().serving() if d.key != key), None)
        shares = {key: percent, **({rest: 100 - percent} if rest else {})}
        self.deployments = [replace(d, traffic=shares.get(d.key, 0)) for d in self.deployments]

    def address(self, key: str) -> str:
        found = self.live().find(key)
        if found is None:
            raise InputError(f"{key} is gone", where=self.url)
        return found.url

    def mark_stable(self, key: str, *, lock: str = "") -> None:
        found = self.live().find(key)
        release = found.identity.release if found and found.identity else ""

        def change(marks: Marks) -> Marks:
            require_lock(marks, lock, self.url)
            return with_stable(marks, key, release)

        self.mark(change)

    def mark(self, change: Callable[[Marks], Marks]) -> None:
        changed = change(self.marks)
        if changed != self.marks:
            with self.writes.one(f"mark {self.url}: {changed}"):
                self.marks = change(self.marks)

    def headers(self) -> Mapping[str, str]:
        return {}

    def require_checkable(self) -> None:
        if self.closed:
            raise CredentialsError("nothing lets checks see a candidate", where=self.url, next_step="set the secret")

    def concerns(self) -> tuple[str, ...]:
        return self.worries

    def put(self, release: str, commit: str, digest: str, schema: str = "0000") -> None:
        """A release that is live and well."""
        made = self._add(Identity(release=release, commit=commit, digest=digest, schema=schema), 0)
        self.deployments = [replace(d, traffic=100 if d.key == made.key else 0) for d in self.deployments]
        self.marks = with_stable(self.marks, made.key, release)

    def serving(self) -> dict[str, int]:
        """Release -> per cent of the traffic."""
        return {d.identity.release: d.traffic for d in self.live().serving() if d.identity}

    def staged(self, release: str) -> int:
        """How many deployments of a release there are."""
        return sum(d.identity is not None and d.identity.release == release for d in self.deployments)

    def _add(self, identity: Identity, traffic: int) -> Deployed:
        key = f"{identity.release.replace('.', '-')}-{next(self._numbers)}"
        host = self.url.removeprefix("https://").replace(".", "-")
        made = Deployed(
            key=key, url=f"https://{host}--{key}.candidate.test", ready=True, identity=identity, traffic=traffic
        )
        self.deployments.insert(0, made)
        return made


@dataclass
class Sites:
    """ASGI: every deployment at its own address, and the public addresses, as the traffic is."""

    hosts: dict[tuple[str, str], MemoryHost] = field(default_factory=dict)
    app: Callable[[Any, Any, Any], Any] | None = None
    """What answers instead."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await (self.app or self.plain)(scope, receive, send)

    async def plain(self, scope: Any, receive: Any, send: Any) -> None:
        """Which release it is, at every path."""
        name = dict(scope["headers"])[b"host"].decode()
        found, well = self._found(name)
        release = found.identity.release if found and found.identity else ""
        status = 404 if found is None else 200 if well else 503
        commit = found.identity.commit if found and found.identity else ""
        body = json.dumps({"release": release, "commit": commit}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _found(self, name: str) -> tuple[Deployed | None, bool]:
        for host in self.hosts.values():
            if host.url == f"https://{name}" and not host.unmapped:
                main = host.live().main()
                release = main.identity.release if main and main.identity else ""
                return main, release not in host.sick | host.dead
            for deployed in host.deployments:
                if deployed.url == f"https://{name}":
                    return deployed, deployed.identity is not None and deployed.identity.release not in host.dead
        return None, False
