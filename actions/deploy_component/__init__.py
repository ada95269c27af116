"""Deploy a candidate of one component without traffic, and check it at its own address."""

from __future__ import annotations

import json
from pathlib import Path

from actions.delivery import APPROVED, COMPONENT, ENVIRONMENT, PLAN, SOURCE, TOKEN, VERCEL
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    COMPONENT,
    PLAN,
    *APPROVED,
    Input(name="commit", doc="Without a plan: the commit, whose layout in build/delivery/layouts is pushed first."),
    SOURCE,
    TOKEN,
    *VERCEL,
    Input(
        name="sentry_token", doc="Sentry token with the scope org:ci, where a site's source maps go there.", secret=True
    ),
)
OUTPUTS: tuple[Output, ...] = (
    Output(name="key", doc="The provider's name of the deployment."),
    Output(name="url", doc="Where it answers without traffic."),
)


def main(runtime: Runtime) -> int:
    """Raises what the steps of the job `deploy` raise (pipelines.delivery.pipeline)."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import planned, staged
    from pipelines.delivery.context import WORK
    from pipelines.delivery.planning import require_checkable
    from pipelines.history import History
    from pipelines.steps import as_markdown, carry_out

    name = values["component"]
    if values["plan"]:
        context, made = planned(runtime, values)
    else:
        context, made = staged(runtime, values, {name: push(runtime, values)})
        # Of all components: where one could not be checked, the others are not deployed for nothing.
        require_checkable(context, context.settings.targets)
    release = context.delivered
    history = History(context)
    history.open(
        release.name, release.commit, {each.component: each.digest for each in made.facts}, plan=values["plan"]
    )
    with history.failing(f"{name} of {release.name}"):
        done = carry_out(made.of_job("deploy", name), context)
    found = context.host(name).live().of(release.name, release.artifact(name).digest)
    runtime.summary(f"### {name} of {release.name} is deployed without traffic\n\n{as_markdown(done)}")
    runtime.output("key", found.key if found else "")
    runtime.output("url", found.url if found else "")
    write(WORK / "deployed", name, release.artifacts[name], found.url if found else "")
    return 0


def push(runtime: Runtime, values: dict[str, str]) -> str:
    """Push what another job built, with the credentials of the environment; its reference."""
    from actions.delivery import policy
    from pipelines.ci import artifacts
    from pipelines.delivery.context import WORK

    context = policy(runtime, values)
    return artifacts.push(
        context.manifest,
        values["component"],
        values["commit"],
        WORK / "layouts" / values["component"],
        http=context.http,
        credentials=context.credentials,
    )


def write(folder: Path, component: str, reference: str, url: str) -> None:
    """The result of this leg of the matrix, for the jobs after it: outputs of legs would overwrite each other."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{component}.json").write_text(json.dumps({"component": component, "reference": reference, "url": url}))


def read(folder: Path) -> dict[str, str]:
    """Component -> reference, of every leg. Raises InputError when there is none."""
    return {each["component"]: each["reference"] for each in _results(folder)}


def addresses(folder: Path) -> dict[str, str]:
    """Component -> where its candidate answers without traffic. Raises InputError when no leg left its result."""
    return {each["component"]: each["url"] for each in _results(folder)}


def _results(folder: Path) -> list[dict[str, str]]:
    from pipelines.errors import InputError

    found: list[dict[str, str]] = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    if not found:
        raise InputError(
            "no component was deployed",
            where=str(folder),
            why="no leg of the deploying job uploaded its result, or the results were not downloaded",
            next_step="re-run the jobs that deploy",
        )
    return found
