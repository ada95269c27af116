"""What the capabilities ask of the outside, as Protocols; providers fill them and the edges choose which."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """What a component is released as: an image or a folder of files, by digest (`sha256:…`)."""

    component: str
    digest: str
    reference: str
    """Where it is: `host/path@sha256:…` for an image, a folder for files."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a deployment carries with it at the provider, so that its state can be read back without us or GitHub."""

    release: str
    """v1.2.0, or the short commit on staging."""
    commit: str
    digest: str
    schema: str = "0000"
    """Highest migration the release knows (`0003`)."""
    contracts: str = "0000"
    """Highest contract migration that was allowed to run with it: the database may have no less."""
    run: str = ""
    """URL of the run that deployed it."""
    attempt: str = ""
    by: str = ""
    """Login of who started that run."""
    approved: str = ""
    """Login of who approved it; empty where nobody had to."""


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One deployment of a component as its provider tells it."""

    key: str
    """The provider's own name: a revision, a deployment id."""
    url: str
    """Where exactly this deployment answers (its tag or deployment URL); empty when it has none."""
    ready: bool
    identity: Identity | None
    """None when it was not deployed by us."""
    traffic: int = 0
    """Per cent of the live traffic."""
    created: str = ""
    """ISO 8601, as the provider says."""
    state: str = ""
    """The provider's own word."""
    problem: str = ""
    """Why it is not ready, in the provider's words."""
    back_by: str = ""
    """How its provider would give it the traffic back, for people; empty where there is one way only."""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Who moves the traffic of a component: the process that took the lock last. A holder that finds another in its place stops."""

    id: str
    """Of one process: a run, its attempt and its job, or one command in a terminal."""
    kind: str
    """delivery, return (of a delivery that failed, to its base) or rollback (asked for by someone)"""
    release: str = ""
    """What is delivered, or gone back to."""
    base: str = ""
    """Of a delivery: the release it goes back to."""
    by: str = ""
    run: str = ""
    """URL of the run, or what someone typed."""

    @property
    def says(self) -> str:
        """For people."""
        what = {"delivery": "the delivery of", "return": "the return to"}.get(self.kind, "the rollback to")
        return " ".join(
            filter(None, (what, self.release, f"by {self.by}" if self.by else "", f"({self.run})" if self.run else ""))
        )


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What we keep at the provider about deployments, writable with deploy rights alone, so that nothing else is needed to go back."""

    stable: tuple[str, ...] = ()
    """Keys of deployments that were live, checked and watched, newest first: what a rollback may choose."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Release -> why it was rolled back; never chosen unless named."""
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    """Release -> why it was withdrawn; never chosen unless named."""
    restoring: str = ""
    """The release that a rollback under way goes to; empty when none is."""
    lock: Lock | None = None
    """Who moves the traffic now, or died doing it."""
    epoch: int = 0
    """How often someone rolled back. A delivery planned at an earlier count goes no further."""
    frozen: str = ""
    """Why no delivery may begin here; empty when it may."""
    held: str = ""
    """Why the delivery under way waits; empty when it does not."""
    contracts: str = "0000"
    """Highest contract migration that ever began here: what knows less may not fit the database any more."""
    unannounced: str = ""
    """The release that was rolled back without a notification; empty when people know."""


@dataclass(frozen=True, kw_only=True)
class Live:
    """What of a component is live, as its provider tells it."""

    url: str
    """The public address."""
    deployments: tuple[Deployed, ...] = ()
    """Newest first; those with traffic are live."""
    version: str = ""
    """The provider's mark of this state (an etag), for conditional changes; empty where it has none."""
    marks: Marks = Marks()

    def serving(self) -> tuple[Deployed, ...]:
        return tuple(d for d in self.deployments if d.traffic > 0)

    def main(self) -> Deployed | None:
        """The deployment with the most traffic."""
        return max(self.serving(), key=lambda d: d.traffic, default=None)

    def of(self, release: str, digest: str) -> Deployed | None:
        """The newest ready deployment of a release with this digest."""
        return next(
            (
                d
                for d in self.deployments
                if d.ready and d.identity and (d.identity.release, d.identity.digest) == (release, digest)
            ),
            None,
        )

    def share(self, release: str, digest: str) -> int:
        """Per cent of the traffic that a release with this digest has, over all its deployments."""
        return sum(
            d.traffic
            for d in self.serving()
            if d.identity and (d.identity.release, d.identity.digest) == (release, digest)
        )

    def find(self, key: str) -> Deployed | None:
        return next((d for d in self.deployments if d.key == key), None)


class Host(Protocol):
    """A provider that runs one component in one environment."""

    def live(self) -> Live:
        """The real state. Raises CredentialsError, ProviderError, ProviderUnavailable."""

    def stage(self, artifact: Artifact, identity: Identity) -> Deployed:
        """A candidate without live traffic, ready to be checked at its own URL. Done already: says so by returning it.

        Raises CheckFailed when it does not become ready, ConflictError, ProviderError.
        """

    def shift(self, key: str, percent: int, *, lock: str = "") -> Live:
        """Give `percent` of the traffic to a deployment, the rest stays with what had it. 100 makes it live, and is all that is
        asked for where the manifest's type of the host names no other steps.

        Raises ConflictError when someone else changed the traffic since it was last read, or holds the lock (`lock` is the caller's
        id, empty when nobody is to hold it). A host without conditional writes looks before and after.
        """

    def mark_stable(self, key: str, *, lock: str = "") -> None:
        """After 100 % and all checks: drop what only the candidate needed (its tag), put the key at the head of `Marks.stable`, and
        give the lock back. Raises ConflictError when someone else holds it."""

    def address(self, key: str) -> str:
        """An address at which exactly this deployment answers, given to it where it has none. Raises InputError for what is gone."""

    def mark(self, change: Callable[[Marks], Marks]) -> None:
        """Change the marks; nothing is written when they stay the same. `change` may be called again when someone else wrote meanwhile."""

    def headers(self) -> Mapping[str, str]:
        """Headers a check must send to see the candidate (a protection bypass); secret."""

    def require_checkable(self) -> None:
        """That a check could see a candidate at its own address, asked before there is one. Raises CredentialsError, saying what to
        set and where, and RefusedError where the public address is closed to users."""

    def concerns(self) -> tuple[str, ...]:
        """What would keep a deployment from succeeding, for people who are asked to approve one. What may not be read is left out."""


@dataclass(frozen=True, kw_only=True)
class JobEnd:
    """How a job ended."""

    name: str
    """As its provider calls this execution."""
    exit_code: int | None
    """Of the program; None when it did not start, or was killed."""
    problem: str = ""
    """In the provider's words; empty after success."""
    log: str = ""
    """Address where people read what it printed."""


class Job(Protocol):
    """A program that a provider runs beside a component, in its network and as its account, until it ends."""

    def run(
        self, artifact: Artifact, command: Sequence[str], *, env: Mapping[str, str], secrets: Mapping[str, str]
    ) -> JobEnd:
        """Run a program of the component's image once, and wait for its end. One that runs already with the same arguments, of a run that
        was killed, is waited for instead. `secrets`: variable -> secret@version.

        Raises ConflictError, CredentialsError, ProviderError, ProviderUnavailable.
        """


@dataclass(frozen=True, kw_only=True)
class Message:
    """Something people must know."""

    kind: str
    """deployment-failed, rolled-back, break-glass, released"""
    title: str
    what: str
    where: str
    who: str
    run: str
    next_step: str
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def named(self) -> dict[str, str]:
        """Where, who and the facts, by names as people read them: one that has capitals of its own stays as it is."""
        facts = {name.capitalize() if name.islower() else name: value for name, value in self.facts.items()}
        return {"Where": self.where, "Who": self.who, **facts}


class Messenger(Protocol):
    """A channel by which people are notified."""

    name: ClassVar[str]

    def send(self, message: Message) -> None:
        """Raises ProviderError, ProviderUnavailable or CredentialsError; the caller goes on with the other ways."""


@dataclass(frozen=True, kw_only=True)
class AppStart:
    """One cold start of an app on someone's phone, as the app reported it."""

    at: datetime
    release: str
    """As the app calls it; empty where it does not say."""
    milliseconds: float
    prewarmed: bool = False
    """The system had begun the process before anybody opened the app."""


class StartReports(Protocol):
    """Where apps report how long they took to start."""

    def starts(self, *, since: datetime, until: datetime, most: int) -> Sequence[AppStart]:
        """The newest first, no more than `most`. Raises CredentialsError, ProviderError, ProviderUnavailable."""
