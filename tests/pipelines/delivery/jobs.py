"""A release to production walked in jobs, as the workflow does: each with a context of its own, made from the plan's document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.delivery import plan, superseding
from pipelines.delivery.context import Context, Release
from pipelines.delivery.plan import Plan
from pipelines.delivery.planning import record
from pipelines.delivery.rollback import Result, return_to_base
from pipelines.history import History
from pipelines.manifest import definition
from pipelines.steps import Done, carry_out
from rehearsal.runner.model import Run
from tests.shop import Shop


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A plan that was approved, to be carried out by the jobs of a run."""

    shop: Shop
    run: Run
    document: bytes
    digest: str
    environment: str = "production"

    def job(self) -> tuple[Context, Plan]:
        """What a job begins with: the plan made again, and a context of it."""
        context = self.shop.context(self.environment, self.run)
        recorded = plan.read(self.document, self.digest)
        context.manifest = definition.apply(context.manifest, self.shop.defined)
        made = plan.rebuild(context.manifest, self.environment, self.document, self.digest)
        context.release = Release(
            name=recorded.release,
            commit=recorded.commit,
            artifacts=dict(recorded.artifacts),
            contracts={each.component: each.contracts for each in made.facts},
            approved="release-manager",
        )
        return context, made

    def deploy(self, component: str) -> list[Done]:
        """The leg of a component."""
        return self._carry_out("deploy", component)

    def go_live(self) -> list[Done]:
        return self._carry_out("go-live")

    def all(self) -> list[Done]:
        """Every job up to the GitHub release."""
        _, made = self.job()
        return [done for name in made.components for done in self.deploy(name)] + self.go_live()

    def back(self) -> Result:
        context, made = self.job()
        return return_to_base(context, made)

    def _carry_out(self, key: str, component: str = "") -> list[Done]:
        context, made = self.job()
        history, release = History(context), context.delivered
        digests = {each.component: each.digest for each in made.facts}
        history.open(release.name, release.commit, digests, plan=made.digest)
        with history.failing(release.name):
            made = superseding.rebased(made, context.lives(made.components), context.manifest)
            done = carry_out(made.of_job(key, component), context)
        if key == "go-live":
            history.note("success", f"{release.name} is live")
        return done


def planned(
    shop: Shop,
    version: str,
    artifacts: Mapping[str, str],
    *,
    commit: str = "",
    environment: str = "production",
    run: Run | None = None,
) -> Delivery:
    """The plan of a release of main's head onto what is live now."""
    run = run or shop.start()
    context = shop.context(environment, run)
    manifest = definition.apply(context.manifest, shop.defined)
    recorded = record(context, version, commit or shop.head("main"), artifacts)
    made = plan.make(manifest, environment, recorded)
    return Delivery(shop=shop, run=run, document=made.document, digest=made.digest, environment=environment)
