"""Mark what staging proved as stable at its providers, and write the proof that a release of this commit needs."""

from __future__ import annotations

from actions.delivery import ENVIRONMENT, SOURCE, TOKEN, VERCEL
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(name="commit", doc="The commit that was deployed and checked.", required=True),
    SOURCE,
    TOKEN,
    *VERCEL,
)
OUTPUTS: tuple[Output, ...] = (
    Output(name="proof", doc="Folder with the proof, to be uploaded as an artifact of this run."),
    Output(name="name", doc="What the artifact must be called."),
)


def main(runtime: Runtime) -> int:
    """Raises what the steps of the job `prove` raise (pipelines.delivery.pipeline)."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import staged
    from actions.deploy_component import read
    from pipelines.delivery import proof
    from pipelines.delivery.context import WORK
    from pipelines.history import History
    from pipelines.manifest import definition
    from pipelines.steps import as_markdown, carry_out

    context, made = staged(runtime, values, read(WORK / "deployed"))
    release = context.delivered
    history = History(context)
    history.open(release.name, release.commit, {each.component: each.digest for each in made.facts})
    with history.failing(f"marking {release.name} as stable"):
        done = carry_out(made.of_job("prove"), context)
    made_here = proof.Proof(
        environment=context.environment,
        commit=release.commit,
        definition=definition.read(context.manifest.file).digest,
        artifacts=release.artifacts,
        run=runtime.run_id,
        attempt=runtime.attempt,
    )
    folder = WORK / "proof"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / proof.FILE).write_bytes(made_here.written())
    runtime.output("proof", str(folder))
    runtime.output("name", proof.artifact_name(context.environment, release.commit))
    runtime.summary(f"### {release.name} is proved on {context.environment}\n\n{as_markdown(done)}")
    history.note("success", f"{release.name} is proved")
    return 0
