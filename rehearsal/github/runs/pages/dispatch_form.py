"""The form of *Run workflow*, made from the inputs a workflow declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.github.git.bare import BareRepository
from rehearsal.github.repositories.state import Repository
from rehearsal.github.runs.state import Workflow
from rehearsal.runner import workflow as files

PREFIX = "inputs."
"""Before the names of inputs, so that they cannot be taken for the form's own fields."""


@dataclass(frozen=True, kw_only=True)
class InputField:
    """One input."""

    name: str
    label: str
    """Its description; its name when it has none."""
    kind: str
    """text, number, boolean or choice"""
    required: bool
    value: str
    options: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class DispatchForm:
    ref: str
    branches: Sequence[str]
    tags: Sequence[str]
    fields: Sequence[InputField]
    missing: str
    """Why the workflow cannot be started from `ref`; empty when it can."""

    def given(self, sent: Mapping[str, str]) -> dict[str, str]:
        """The inputs as the API takes them: a box that is not ticked is sent by no browser, but means false.

        What the workflow does not declare goes along, so that it is refused rather than dropped in silence.
        """
        boxes = {field.name: "false" for field in self.fields if field.kind == "boolean"}
        return {**boxes, **sent}


def form(
    git: BareRepository,
    repository: Repository,
    workflow: Workflow,
    ref: str,
    text: str | None,
    sent: Mapping[str, str],
) -> DispatchForm:
    """`text` is the workflow file at `ref` (None: not there), `sent` what was entered already."""
    fields: list[InputField] = []
    missing = ""
    try:
        declared = None if text is None else files.parse(workflow.path, text)
    except files.WorkflowError as error:
        declared, missing = None, str(error)
    if declared is not None and "workflow_dispatch" in declared.on:
        inputs = declared.inputs("workflow_dispatch")
        fields = [_field(repository, name, spec, sent) for name, spec in inputs.items()]
    elif not missing:
        missing = f"At {ref} this workflow is not there, or has no `on: workflow_dispatch`. Choose another branch."
    return DispatchForm(ref=ref, branches=list(git.branches()), tags=list(git.tags()), fields=fields, missing=missing)


def _field(repository: Repository, name: str, spec: Mapping[str, Any], sent: Mapping[str, str]) -> InputField:
    kind = str(spec.get("type") or "string")
    options = [_text(option) for option in spec.get("options") or ()]
    if kind == "environment":
        options = list(repository.environments)
    default = _text(spec.get("default")) or (options[0] if options else "")
    return InputField(
        name=name,
        label=str(spec.get("description") or name),
        kind={"string": "text", "environment": "choice"}.get(kind, kind),
        required=bool(spec.get("required")) and kind != "boolean",
        value=sent.get(name, "" if sent and kind == "boolean" else default),
        options=options,
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
