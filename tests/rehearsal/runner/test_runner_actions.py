"""Which actions a job can reach, found before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rehearsal.runner.actions import STAND_INS, Checkout, Reference, checkouts, reference, stand_in, used_by
from rehearsal.runner.expressions import Scope
from tests.rehearsal.runner.small_hub import CHECKOUT

PINNED = (
    "actions/checkout", "actions/setup-python", "actions/setup-node", "actions/cache", "actions/upload-artifact",
    "actions/download-artifact", "actions/attest-build-provenance", "astral-sh/setup-uv", "step-security/harden-runner",
    "docker/setup-buildx-action", "docker/login-action", "docker/build-push-action",
)  # fmt: skip


def test_reference__forms() -> None:
    assert reference("a/b@v1") == Reference(repository="a/b", path="", ref="v1")
    assert reference("a/b/c/d@main") == Reference(repository="a/b", path="c/d", ref="main")
    assert reference("./x") is None
    assert reference("docker://alpine") is None
    for bad in ("a/b", "a@v1", "a/b@"):
        with pytest.raises(ValueError, match="not of the form"):
            reference(bad)


def test_stand_in__every_action_we_pin__has_one() -> None:
    found = [stand_in(Reference(repository=name, path="", ref="x")) for name in PINNED]
    assert None not in found
    assert sorted(str(path.parent.relative_to(STAND_INS)) for path in STAND_INS.rglob("action.yml")) == sorted(PINNED)
    assert stand_in(Reference(repository="actions/checkout", path="deeper", ref="x")) is None


def test_used_by__composites_only() -> None:
    assert used_by("runs: {using: composite, steps: [{uses: a/b@1}, {run: x}, {uses: ./c}]}") == ("a/b@1", "./c")
    assert used_by("runs: {using: node20, main: x.js}") == ()
    assert used_by("{") == ()


def test_checkouts__refs_known_before_the_job_runs() -> None:
    steps: list[dict[str, Any]] = [
        {"uses": CHECKOUT},
        {"uses": CHECKOUT, "with": {"ref": "${{ needs.plan.outputs.commit }}"}},
        {"uses": CHECKOUT, "with": {"ref": "${{ steps.later.outputs.x }}"}},
        {"uses": CHECKOUT, "with": {"repository": "o/suite", "path": "suite"}},
        {"run": "x"},
    ]
    scope = Scope(contexts={"needs": {"plan": {"outputs": {"commit": "c2"}}}})
    assert checkouts(steps, scope, "o/r", "c1") == [
        Checkout(repository="o/r", ref="c1"),
        Checkout(repository="o/r", ref="c2"),
        Checkout(repository="o/suite", ref="HEAD", folder="suite"),
    ]
    assert Checkout(repository="o/suite", ref="x", folder="suite").path_of("./suite/actions/a") == "actions/a"
    assert Checkout(repository="o/suite", ref="x", folder="suite").path_of("./actions/a") is None


def test_local_action__at_another_commit_than_the_event__is_found_there(world: Any, run_async: Any) -> None:
    def action(inner: str) -> dict[str, str]:
        return {"a/action.yml": f"name: a\nruns:\n  using: composite\n  steps:\n    - uses: {inner}\n"}

    workflow = f"""
on: push
jobs:
  plan:
    runs-on: ubuntu-24.04
    outputs: {{old: "${{{{ steps.o.outputs.old }}}}"}}
    steps: [{{id: o, run: 'echo old=OLD >> "$GITHUB_OUTPUT"'}}]
  use:
    needs: plan
    runs-on: ubuntu-24.04
    steps:
      - {{uses: {CHECKOUT}, with: {{ref: "${{{{ needs.plan.outputs.old }}}}"}}}}
      - uses: ./a
      - {{uses: {CHECKOUT}, with: {{repository: acme/suite, path: suite, token: none}}, continue-on-error: true}}
"""

    async def story() -> None:
        async with world() as w:
            old = w.hub.commit(action("step-security/harden-runner@0123456789012345678901234567890123456789"))
            run = await w.push(workflow.replace("OLD", old), action("other/thing@v1"))
            log = run.jobs[1].log_text()
            assert run.conclusion == "success", log
            assert "egress is not watched here" in log
            assert "cannot read" in log

            run = await w.push(workflow.replace(', with: {ref: "${{ needs.plan.outputs.old }}"}', ""))
            assert "other/thing@v1 has no stand-in" in run.jobs[1].annotations[0].message

    run_async(story())


def test_with_the_emulated_github__private_repository_checks_and_token(run_async: Any, tmp_path: Path) -> None:
    import httpx

    from rehearsal.github.app import GitHub
    from rehearsal.runner.clock import SystemClock
    from rehearsal.runner.engine import ActRunner
    from rehearsal.runner.settings import Settings
    from rehearsal.serving import Server

    workflow = f"""
on: {{workflow_dispatch: {{inputs: {{v: {{required: true}}}}}}}}
permissions: {{contents: read, statuses: write}}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: {CHECKOUT}
      - env: {{T: "${{{{ github.token }}}}", V: "${{{{ inputs.v }}}}"}}
        run: |
          say() {{ curl -sS -o /dev/null -w '%{{http_code}} ' -H "Authorization: Bearer $T" "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY$@"; }}
          say; say /statuses/$GITHUB_SHA -d '{{"state":"success"}}'; say /issues -d '{{"title":"x"}}'
          cat file; echo " $V"
"""

    async def story() -> None:
        github = GitHub(tmp_path / "github", SystemClock().now)
        server = Server(github.app, "github")
        await server.start()
        github.address = server.url
        runner = ActRunner(github.hub, Settings(root=tmp_path / "runner"))
        await runner.start()
        github.attach(runner)
        files = {".github/workflows/ci.yml": workflow, "file": "kept private,"}
        await github.seed.repository("acme/demo", files=files, private=True, roles={"dev-1": "admin"})
        headers = {"Authorization": f"Bearer {github.seed.token('dev-1')}"}
        try:
            async with httpx.AsyncClient(headers=headers, base_url=f"{server.url}/repos/acme/demo") as client:
                path = "/actions/workflows/ci.yml/dispatches"
                refused = await client.post(path, json={"ref": "main", "inputs": {"x": "1"}})
                assert refused.status_code == 422
                assert "Known inputs: v" in refused.json()["message"]
                started = await client.post(path, json={"ref": "main", "inputs": {"v": "here"}})
                assert started.status_code in (200, 204), started.text
                (run,) = runner.runs.values()
                await runner.wait(run.id)
                assert run.conclusion == "success", run.jobs[0].log_text()
                assert "200 201 403 kept private, here" in run.jobs[0].log_text()
                (check,) = (await client.get(f"/commits/{run.head_sha}/check-runs")).json()["check_runs"]
                assert (check["id"], check["conclusion"]) == (run.jobs[0].id, "success")
        finally:
            await runner.stop()
            await server.stop()
            await github.stop()

    run_async(story())
