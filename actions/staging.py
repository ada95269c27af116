"""What deploy_backend and deploy_web do alike."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.runtime import Runtime


def stage(runtime: Runtime, values: Mapping[str, str], component: str) -> int:
    """Stage and verify a candidate of one component; its key and address are put out."""
    from actions.delivery import candidate, delivery
    from pipelines.delivery import deployment
    from pipelines.delivery.run import as_markdown

    delivered = delivery(runtime, values)
    wanted = candidate(delivered, values)
    done = deployment.stage(delivered, wanted, component)
    staged = delivered.host(component).live().of(wanted.release, wanted.digests()[component])
    runtime.summary(f"### {component} of {wanted.release} is staged\n\n{as_markdown(done)}")
    runtime.output("key", staged.key if staged else "")
    runtime.output("url", staged.url if staged else "")
    return 0
