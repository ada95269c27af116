"""The folder act works from for one job: the derived workflow, the event, secrets, variables, environment."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.runner import contexts, draining
from rehearsal.runner.actions import PROGRAMS, STAND_INS
from rehearsal.runner.model import Run
from rehearsal.runner.settings import Settings


@dataclass(frozen=True, kw_only=True)
class JobFiles:
    """What is written for act. Secrets and variables by name."""

    workflow: Mapping[str, str]
    event: Mapping[str, Any]
    secrets: Mapping[str, str]
    variables: Mapping[str, str]
    env: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Fill a new folder; only this user can read it."""
        folder.mkdir(parents=True, mode=0o700)
        (folder / "home").mkdir()
        for path, text in self.workflow.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (folder / "event.json").write_text(json.dumps(self.event))
        draining.prepare(folder)
        # JSON is YAML; act reads these as flat mappings and takes any text, several lines included.
        for name, values in (("secrets", self.secrets), ("variables", self.variables), ("env", self.env)):
            (folder / f"{name}.yml").write_text(json.dumps(dict(values)))


def environment(
    run: Run, settings: Settings, folder: Path, *, clone_url: str, server_url: str, api_url: str
) -> dict[str, str]:
    """What every step of a job finds in its environment. What act sets by itself is left to it."""
    event = run.event
    known = contexts.github(run, server_url=server_url, api_url=api_url)
    path = f"{PROGRAMS}:{settings.path}"
    prefix = settings.extra_env.get("PATH")
    return {
        "GITHUB_API_URL": api_url,
        "GITHUB_SERVER_URL": server_url,
        "GITHUB_GRAPHQL_URL": contexts.graphql_url(api_url),
        "GITHUB_REPOSITORY": run.repository,
        "GITHUB_REPOSITORY_ID": known["repository_id"],
        "GITHUB_REPOSITORY_OWNER_ID": known["repository_owner_id"],
        "GITHUB_ACTOR_ID": known["actor_id"],
        "GITHUB_TRIGGERING_ACTOR": known["triggering_actor"],
        "GITHUB_RUN_ID": str(run.id),
        "GITHUB_RUN_NUMBER": str(run.number),
        "GITHUB_RUN_ATTEMPT": str(run.attempt),
        "GITHUB_WORKFLOW_REF": contexts.workflow_ref(run),
        "GITHUB_WORKFLOW_SHA": event.sha,
        "GITHUB_REF": event.ref,
        "GITHUB_REF_PROTECTED": "false",
        "GITHUB_RETENTION_DAYS": "90",
        "SHA_REF": event.sha,
        "RUNNER_NAME": "rehearsal",
        "RUNNER_ENVIRONMENT": "github-hosted",
        "BASH_ENV": str(folder / "bash.env"),
        "PAGER": "cat",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "REHEARSAL_CLONE_URL": clone_url,
        "REHEARSAL_OBJECTS": str(settings.root / "mirrors" / f"{run.repository}.git" / "objects"),
        "REHEARSAL_ARTIFACTS": str(settings.root / "artifacts"),
        "REHEARSAL_STAND_INS": str(STAND_INS),
        "REHEARSAL_PYTHON": os.path.realpath(sys.executable),
        **settings.extra_env,
        "PATH": f"{prefix}:{path}" if prefix else path,
    }
