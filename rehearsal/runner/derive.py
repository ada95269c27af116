"""The workflow that act is given for one job: its steps verbatim, what it needs replayed, nothing else.

act runs whole workflows. To run one job, each of its `needs` becomes a stub job that ends with the recorded result
and gives the recorded outputs; the job itself keeps its key, steps, env and defaults. What the runner enforces itself
(environment, concurrency, permissions, time limit, matrix, `if`) is left out. Measured with act 0.2.89: 3 ms a stub.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.runner import draining
from rehearsal.runner.workflow import JobSpec, Workflow

LABEL = "rehearsal"
"""The runner label in derived workflows; mapped to the host."""
COLLECT = "rehearsal_collect"
"""Id of the step that writes the job's outputs to a file and waits for the runner."""
MAIN = ".github/workflows/job.yml"
CALLED = ".github/workflows/called.yml"
CALLER = "caller"


@dataclass(frozen=True, kw_only=True)
class Collection:
    """How the outputs of a job come back: a file of texts, in order, each followed by `separator` on a line."""

    path: str
    names: tuple[str, ...]
    with_url: bool
    separator: str = field(default_factory=lambda: f"--{secrets.token_hex(16)}--")

    def read(self, text: str) -> tuple[dict[str, str], str]:
        """Outputs by name, and the environment's URL."""
        texts = [part.removesuffix("\n") for part in text.split(f"{self.separator}\n")][:-1]
        found = dict(zip(self.names, texts, strict=False))
        url = texts[len(self.names)] if self.with_url and len(texts) > len(self.names) else ""
        return found, url


def collection(spec: JobSpec, path: str) -> Collection:
    """What is to be collected from a job."""
    names = tuple(str(name) for name in spec.raw.get("outputs") or {})
    return Collection(path=path, names=names, with_url=bool((spec.environment or {}).get("url")))


def files(
    workflow: Workflow,
    spec: JobSpec,
    *,
    event: str,
    run_name: str,
    matrix: Mapping[str, Any],
    needs: Mapping[str, Any],
    inputs: Mapping[str, Any] | None,
    collect: Collection,
) -> dict[str, str]:
    """Path -> text of what act reads. `inputs` are those of a called workflow; None for a job of the run's own file.

    `run_name` is the name of the run's own workflow: on GitHub `github.workflow` is that, also in a called one.
    """
    body = {
        "name": run_name,
        **_kept(workflow.raw),
        "jobs": {**stubs(needs), spec.key: job(spec, matrix, needs, collect)},
    }
    if inputs is None:
        return {MAIN: json.dumps({**body, "on": _on(workflow, event)})}
    given = {name: literal(value) for name, value in inputs.items()}
    caller = {"uses": f"./{CALLED}", "with": given, "secrets": "inherit"}
    return {
        MAIN: json.dumps({"name": run_name, "on": _on(workflow, event), "jobs": {CALLER: caller}}),
        CALLED: json.dumps({**body, "on": {"workflow_call": {"inputs": _call_inputs(workflow)}}}),
    }


def _on(workflow: Workflow, event: str) -> dict[str, Any]:
    if event == "workflow_dispatch":
        return {event: {"inputs": dict(workflow.inputs(event))}}
    if event == "schedule":
        return {event: [{"cron": "0 0 * * *"}]}
    return {event: {"workflows": [workflow.name]} if event == "workflow_run" else None}


def _call_inputs(workflow: Workflow) -> dict[str, Any]:
    return {name: {"type": spec.get("type", "string")} for name, spec in workflow.inputs("workflow_call").items()}


def job(spec: JobSpec, matrix: Mapping[str, Any], needs: Mapping[str, Any], collect: Collection) -> dict[str, Any]:
    """The job itself."""
    steps = [*(named(draining.held(step)) for step in spec.steps), collecting(spec, collect)]
    derived: dict[str, Any] = {**_kept(spec.raw), "runs-on": LABEL, "if": "always()", "steps": steps}
    if needs:
        derived["needs"] = list(needs)
    if matrix:
        derived["strategy"] = {"matrix": {"include": [literal(matrix)]}}
    return derived


def _kept(section: Mapping[str, Any]) -> dict[str, Any]:
    """`env` and `defaults` of a workflow or a job."""
    kept = {key: section[key] for key in ("env", "defaults") if section.get(key)}
    return {**kept, "defaults": draining.held_defaults(kept["defaults"])} if "defaults" in kept else kept


def named(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step as written; without a name act would repeat its whole script on every line of the log."""
    return dict(step) if step.get("name") else {"name": "-", **step}


def collecting(spec: JobSpec, collect: Collection) -> dict[str, Any]:
    """The last step. The heredoc's mark is random and an expression is filled in once, so any text comes through.

    It ends when the runner has read that the steps before it are over: what they computed is known while act lives.
    """
    texts = [str(value) for value in (spec.raw.get("outputs") or {}).values()]
    if collect.with_url:
        texts.append(str((spec.environment or {})["url"]))
    body = "".join(f"{text}\n{collect.separator}\n" for text in texts)
    end = f"END-{collect.separator}"
    write = f"cat > '{collect.path}' <<'{end}'\n{body}{end}\n" if texts else ""
    return {
        "name": "-",
        "id": COLLECT,
        "if": "always()",
        "continue-on-error": True,
        "shell": "bash",
        "working-directory": "${{ github.workspace }}",
        "run": write + draining.wait(Path(collect.path).parent),
    }


def stubs(needs: Mapping[str, Any]) -> dict[str, Any]:
    """One job per need that ends as the real one did. act has no third way to end: cancelled is replayed as failure."""
    return {key: _stub(str(need["result"]), need["outputs"]) for key, need in needs.items()}


def _stub(result: str, outputs: Mapping[str, str]) -> dict[str, Any]:
    script = "exit 0" if result == "success" else "exit 1"
    stub: dict[str, Any] = {"runs-on": LABEL, "steps": [{"name": "-", "shell": "sh", "run": script}]}
    if result == "skipped":
        stub["if"] = "${{ false }}"
    if outputs:
        stub["outputs"] = {name: literal(value) for name, value in outputs.items()}
    return stub


def literal(value: Any) -> Any:
    """A value that act must take as it is: text with `${{` becomes an expression that yields that text."""
    if isinstance(value, str) and "${{" in value:
        quoted = value.replace("'", "''")
        return f"${{{{ '{quoted}' }}}}"
    if isinstance(value, Mapping):
        return {key: literal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [literal(inner) for inner in value]
    return value
