"""What every step has, and the facts that steps are planned from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from pipelines.steps import AnyStep

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.roles import Deployed, Live


@dataclass(frozen=True, kw_only=True)
class Base:
    """The deployment that had all the traffic of a component when a delivery was planned: what its rollback returns to."""

    key: str
    """The provider's own name of it."""
    release: str = ""
    """Empty when it was not deployed by us, like what follows."""
    commit: str = ""
    digest: str = ""
    schema: str = "0000"
    contracts: str = "0000"

    @classmethod
    def of(cls, deployed: Deployed) -> Self:
        found = deployed.identity
        if found is None:
            return cls(key=deployed.key)
        return cls(
            key=deployed.key,
            release=found.release,
            commit=found.commit,
            digest=found.digest,
            schema=found.schema,
            contracts=found.contracts,
        )


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of one component of a release before anything happens."""

    environment: str
    component: str
    release: str
    digest: str = ""
    base: Base | None = None
    """None: nothing is live."""
    shift: tuple[int, ...] = (100,)
    watch_seconds: float = 0.0
    expand: tuple[str, ...] = ()
    """Files of the expand migrations that its base does not know."""
    contract: tuple[str, ...] = ()
    """Files of the contract migrations that may run: all that serves knows them."""
    contracts: str = "0000"
    """The highest of these, and of those before."""
    checks: int = 0
    """Smoke checks and journeys of the component."""
    parts: int = 1
    """Comparisons with what is live that the whole release goes through."""
    cost: str = ""
    """What one before any traffic takes, in words; empty where nothing is declared that could be asked."""
    watched: str = ""
    """The same of one while a share has the traffic."""
    epoch: int = 0
    """How often someone had rolled back."""
    tracker: str = ""
    """Where its source maps go, in words; empty for nowhere."""


@dataclass(frozen=True, kw_only=True)
class Step(AnyStep["Context"]):
    """A step of a delivery or a rollback: what an approval binds, and what the same class carries out."""

    observes: ClassVar[bool] = False
    """Whether `done` needs the real state of the component."""

    def already(self, context: Context) -> str:
        return self.done(context.host(self.component).live()) if self.observes else ""

    def done(self, live: Live) -> str:
        """Why there is nothing to do, by the real state; empty when there is something. Pure. Raises RefusedError for a state that
        this delivery did not make."""
        return ""


@dataclass(frozen=True, kw_only=True)
class PlannedStep(Step):
    """A step of a delivery, planned from facts. Those of a rollback are planned by rollback.py, which chooses one release for all."""

    @classmethod
    @abstractmethod
    def plan(cls, facts: Sequence[Facts]) -> Sequence[Step]:
        """The steps of this kind that these components need, in their order. Pure."""


@dataclass(frozen=True, kw_only=True)
class ArtifactStep(PlannedStep):
    """A step that every component needs once, for its artifact."""

    release: str
    digest: str

    @classmethod
    def plan(cls, facts: Sequence[Facts]) -> list[Step]:
        return [cls(component=each.component, release=each.release, digest=each.digest) for each in facts]


def counted(checks: int) -> str:
    """`1 check`, `3 checks`"""
    return f"{checks} check{'' if checks == 1 else 's'}"
