"""Workflows that wait for a release or a tag, and would wait for ever when the workflow's own token makes it.

Source: docs.github.com/actions/concepts/security/github_token: its events start no workflow, except workflow_dispatch and
repository_dispatch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from release.commits.git import Git

_FOLDER = ".github/workflows"


def waiting_workflows(git: Git, commit: str, dispatched: Sequence[str]) -> list[tuple[str, str]]:
    """(workflow file, event it waits for) of those that nobody will start."""
    listed = git.run("ls-tree", "-z", "--name-only", "--full-tree", commit, "--", f"{_FOLDER}/").decode(
        "utf-8", "replace"
    )
    found: list[tuple[str, str]] = []
    for path in filter(None, listed.split("\0")):
        name = path.rsplit("/", 1)[-1]
        if name.endswith((".yml", ".yaml")) and name not in dispatched:
            event = _event(git.file(commit, path) or b"")
            if event:
                found.append((name, event))
    return found


def inputs(git: Git, commit: str, workflow: str, known: Mapping[str, str]) -> dict[str, str]:
    """What to dispatch a workflow with: of `known` values (version, commit) those it declares inputs for."""
    declared: Any = _on(git.file(commit, f"{_FOLDER}/{workflow}") or b"")
    dispatch = declared.get("workflow_dispatch") if isinstance(declared, dict) else None
    wanted = dispatch.get("inputs") if isinstance(dispatch, dict) else None
    return {name: value for name, value in known.items() if isinstance(wanted, dict) and name in wanted}


def token_starts_no_workflow(token: str, environ: Mapping[str, str]) -> bool:
    """Whether events made with this token may start no workflow: an installation token inside a workflow (ghs_…)."""
    return environ.get("GITHUB_ACTIONS") == "true" and token.startswith("ghs_")


def _on(content: bytes) -> Any:
    """What a workflow file has under `on`."""
    import yaml

    try:
        data: Any = yaml.safe_load(content)
    except yaml.YAMLError:
        return None
    # YAML 1.1 reads the key `on` as true.
    return data.get("on", data.get(True)) if isinstance(data, dict) else None


def _event(content: bytes) -> str:
    on = _on(content)
    if on == "release" or (isinstance(on, (list, dict)) and "release" in on):
        return "release"
    push = on.get("push") if isinstance(on, dict) else None
    return "push of a tag" if isinstance(push, dict) and "tags" in push else ""
