"""The jobs of a workflow: what they are called for people, and where their logs are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.github import GitHub


def names(workflow: Path) -> dict[str, str]:
    """Key of each job of a workflow file -> the name GitHub shows; empty when there is no such file."""
    import yaml

    if not workflow.is_file():
        return {}
    content: Any = yaml.safe_load(workflow.read_text())
    jobs = content.get("jobs") if isinstance(content, dict) else None
    return {key: str((job or {}).get("name") or key) for key, job in (jobs or {}).items()}


def links(github: GitHub, run: str, names: Mapping[str, str]) -> dict[str, str]:
    """Key of each job -> the address of its log, of the newest attempt. Raises what GitHub.json raises, soon: links are a comfort."""
    hasty = dataclasses.replace(github.policy, tries=2)
    github = GitHub(github.name, github.token, api_url=github.api_url, policy=hasty)
    answer = github.json("GET", f"/repos/{github.name}/actions/runs/{run}/jobs?per_page=100") or {}
    found = {str(job["name"]): str(job.get("html_url") or "") for job in answer.get("jobs", [])}
    return {key: found[name] for key, name in names.items() if found.get(name)}
