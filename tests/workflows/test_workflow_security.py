"""What no workflow may give away: permissions, secrets, credentials, scripts with text from outside, triggers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rehearsal.runner.expressions import Scope, condition
from tests.workflows.workflow_files import (
    FILES,
    jobs,
    read,
    steps,
    triggers,
)

UNTRUSTED = re.compile(r"\$\{\{")
every = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


@every
def test_permissions_start_at_nothing_and_each_job_names_its_own(file: Path) -> None:
    assert read(file)["permissions"] == {}
    for name, job in jobs(file).items():
        assert isinstance(job.get("permissions"), dict), f"{name} names no permissions"
        assert job["permissions"], f"{name}: a checkout needs `contents: read`"


@every
def test_a_permission_that_is_more_than_reading_the_code_is_explained_where_it_stands_first(file: Path) -> None:
    seen = set()
    for line in file.read_text().splitlines():
        match = re.fullmatch(r"      ([a-z-]+): (read|write)( # \S.*)?", line)
        if match and (match[1], match[2]) != ("contents", "read") and match[1] not in seen:
            assert match[3], f"{file.name}: say why: {line.strip()}"
            seen.add(match[1])


@every
def test_no_expression_reaches_a_script(file: Path) -> None:
    for name, step in steps(file):
        assert not UNTRUSTED.search(str(step.get("run", ""))), f"{name}: pass it by env: {step['run']}"


@every
def test_checkouts_leave_no_credentials_behind(file: Path) -> None:
    for name, step in steps(file):
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, name


@every
def test_no_trigger_gives_a_strangers_code_our_secrets(file: Path) -> None:
    assert not {"pull_request_target", "issue_comment"} & set(triggers(file))


@every
def test_what_follows_another_run_follows_pushes_of_our_own_that_went_well(file: Path) -> None:
    """`workflow_run` comes after runs of forks' pull requests, too, and has the secrets of the default branch."""
    if "workflow_run" not in triggers(file):
        return
    assert triggers(file)["workflow_run"]["branches"], file.name
    for name, job in jobs(file).items():
        if "needs" in job:
            continue
        for event, conclusion in (("push", "success"), ("push", "failure"), ("pull_request", "success")):
            run = {"event": event, "conclusion": conclusion}
            github = {"event_name": "workflow_run", "event": {"workflow_run": run}}
            begins = condition(job["if"], Scope(contexts={"github": github}, status={"success": True}))
            assert begins == ((event, conclusion) == ("push", "success")), f"{name} after {event} that was {conclusion}"


@every
def test_a_pull_request_gets_no_secret_and_no_cloud_identity(file: Path) -> None:
    if "pull_request" not in triggers(file):
        return
    assert "secrets." not in file.read_text()
    for name, job in jobs(file).items():
        assert "id-token" not in job["permissions"], name
        assert "environment" not in job, name
