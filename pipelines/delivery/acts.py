"""What each action of a plan does, against the providers of a delivery."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.delivery.run import Act, Step
from pipelines.errors import CheckFailed, ConflictError
from pipelines.roles import Artifact, Deployed

if TYPE_CHECKING:
    from pipelines.delivery.context import Candidate, Delivery


@dataclass(kw_only=True)
class Acts:
    """The acts of one delivery of one candidate (None for a rollback, which needs no artifact)."""

    delivery: Delivery
    candidate: Candidate | None = None

    def table(self) -> Mapping[str, Act]:
        return {
            "migrate": self.migrate,
            "stage": self.stage,
            "verify": self.verify,
            "shift": self.shift,
            "settle": self.settle,
            "back": self.back,
            "outside": self.outside,
        }

    def migrate(self, step: Step) -> str:
        from pipelines.delivery.migrations.due import apply

        return apply(self.delivery, step.component, phase="expand", release=step.detail.get("release", ""))

    def stage(self, step: Step) -> str:
        identity = self.delivery.identity(self._candidate(), step.component)
        with tempfile.TemporaryDirectory(prefix="shipmate-") as folder:
            artifact = self._at_hand(step.component, Path(folder))
            deployed = self.delivery.host(step.component).stage(artifact, identity)
        return f"{deployed.key} is ready at {deployed.url}"

    def _at_hand(self, component: str, folder: Path) -> Artifact:
        """The artifact as the provider takes it: an image by reference, a site as the folder it was kept from."""
        from pipelines.delivery.building import fetch_files

        artifact = self.delivery.artifact(self._candidate(), component)
        if self.delivery.manifest.components[component].build is None:
            return artifact
        return replace(artifact, reference=str(fetch_files(self.delivery, artifact.reference, folder / "files")))

    def verify(self, step: Step) -> str:
        """The smoke checks of this component at the candidate's own address."""
        host = self.delivery.host(step.component)
        # A settled deployment has no address of its own any more; then it is what the public one leads to.
        url = self._staged(step).url or host.live().url
        return self._check(step.component, url, step.detail["release"], headers=host.headers())

    def shift(self, step: Step) -> str:
        from pipelines.checks.watch import watching

        host = self.delivery.host(step.component)
        found = self._staged(step)
        seconds = float(step.detail.get("watch", "0"))
        live = host.live()
        asked = live.url + self.delivery.settings.targets[step.component].watched
        with watching(self.delivery.http, asked, enabled=bool(live.serving())) as watch:
            host.shift(found.key, int(step.detail["percent"]))
            watch.hold(seconds * self.delivery.http.policy.scale)
        return f"{found.key} has {step.detail['percent']} %{watch.says()}"

    def settle(self, step: Step) -> str:
        host = self.delivery.host(step.component)
        live = host.live()
        main = live.main()
        if main is None or main.identity is None or main.identity.release != step.detail["release"]:
            raise ConflictError(
                f"{main.identity.release if main and main.identity else 'something else'} is live, not {step.detail['release']}",
                why="somebody rolled back or deployed meanwhile",
                next_step="see `shipmate status`; nothing was changed by this step",
            )
        host.settle(main.key)
        return f"{main.key} is what a rollback may come back to"

    def back(self, step: Step) -> str:
        host = self.delivery.host(step.component)
        host.shift(step.detail["key"], 100)
        host.settle(step.detail["key"])
        return f"{step.detail['key']} has all traffic"

    def outside(self, step: Step) -> str:
        """The smoke checks of this component at its public address."""
        url = self.delivery.host(step.component).live().url
        return self._check(step.component, url, step.detail["release"])

    def _check(self, component: str, url: str, release: str, headers: Mapping[str, str] | None = None) -> str:
        from pipelines.checks import smoke

        checks = [check for check in self.delivery.settings.smoke if check.component == component]
        facts = {"release": release, "commit": self._commit(component, release)}
        report = smoke.run(checks, {component: url}, facts, self.delivery.http, headers=dict(headers or {}))
        if report.failed:
            raise CheckFailed(
                report.failures(), where=url, next_step=f"shipmate smoke --environment {self.delivery.environment}"
            )
        return f"{len(report.results)} checks passed, slowest {report.slowest_ms:.0f} ms"

    def _commit(self, component: str, release: str) -> str:
        if self.candidate is not None and self.candidate.release == release:
            return self.candidate.commit
        main = self.delivery.host(component).live().main()
        return main.identity.commit if main and main.identity else ""

    def _staged(self, step: Step) -> Deployed:
        candidate = self._candidate()
        digest = self.delivery.artifact(candidate, step.component).digest
        found = self.delivery.host(step.component).live().of(candidate.release, digest)
        if found is None:
            raise ConflictError(
                f"the candidate of {candidate.release} is gone",
                why="somebody removed it, or it stopped being ready",
                next_step="re-run the job that deploys it",
            )
        return found

    def _candidate(self) -> Candidate:
        if self.candidate is None:
            raise AssertionError("a rollback has no step that needs a candidate")
        return self.candidate
