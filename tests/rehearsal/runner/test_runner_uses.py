"""What the steps of a job use: actions of repositories, artifacts, and the stand-ins for actions and programs from outside."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from rehearsal.github.runs.service import archives
from rehearsal.runner.model import Artifact
from tests.rehearsal.runner.small_hub import CHECKOUT, logs

UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"


def there(*artifacts: Artifact) -> list[bool]:
    return [Path(artifact.path).exists() for artifact in artifacts]


def test_actions__of_this_and_of_another_repository_here(world: Any, run_async: Any) -> None:
    greet = """
name: greet
inputs: {who: {default: x}}
runs:
  using: composite
  steps:
    - {shell: bash, run: 'echo "hi ${{ inputs.who }} from $(cat "$GITHUB_ACTION_PATH/../data")"'}
"""

    async def story() -> None:
        async with world() as w:
            sha = w.hub.commit({"actions/greet/action.yml": greet, "actions/data": "afar"}, repository="acme/suite")
            nested = f"name: n\nruns:\n  using: composite\n  steps:\n    - {{uses: acme/suite/actions/greet@{sha}, with: {{who: dev-2}}}}\n"
            workflow = f"on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: {CHECKOUT}\n      - uses: ./nested\n"
            run = await w.push(workflow, {"nested/action.yml": nested})
            assert run.conclusion == "success", logs(run)
            assert "hi dev-2 from afar" in logs(run)

    run_async(story())


SUITE = Path(__file__).resolve().parents[3]


def suite_files() -> dict[str, str]:
    """What a job needs of this repository to run its actions."""
    found = [file for name in ("actions", "pipelines", "requirements") for file in (SUITE / name).rglob("*.*")]
    texts = [file for file in found if file.suffix in (".py", ".yml", ".txt", ".in", ".toml", ".json")]
    return {str(file.relative_to(SUITE)): file.read_text() for file in [*texts, SUITE / "pyproject.toml"]}


def test_actions__of_the_suite_from_another_repository(world: Any, run_async: Any) -> None:
    """Someone else's repository, with a manifest of its own, plans its CI by `uses: owner/repo/actions/x@sha`."""
    manifest = """
platform: {name: shop, repository: acme/demo}
components: {api: {paths: ["api/**"]}}
ci: {checks: {api-tests: {run: [pytest], components: [api]}}}
environments: {}
"""

    async def story() -> None:
        async with world(extra_env={"SHIPMATE_VENV": sys.prefix}) as w:
            sha = w.hub.commit(suite_files(), repository="acme/suite")
            workflow = f"""
on: push
permissions: {{contents: read}}
jobs:
  plan:
    runs-on: ubuntu-24.04
    outputs: {{legs: "${{{{ steps.plan.outputs.legs }}}}"}}
    steps:
      - uses: {CHECKOUT}
      - uses: acme/suite/actions/setup@{sha}
      - {{id: plan, uses: acme/suite/actions/plan_ci@{sha}, with: {{token: "${{{{ github.token }}}}"}}}}
"""
            run = await w.push(workflow, {"shipmate.yml": manifest, "api/app.py": ""})
            assert run.conclusion == "success", logs(run)
            # This hub has no REST API to ask what passed before, so everything is to run.
            assert [leg["title"] for leg in json.loads(run.jobs[0].outputs["legs"])] == ["api-tests"]

    run_async(story())


def test_actions__without_stand_in__job_fails_naming_it_before_any_step(world: Any, run_async: Any) -> None:
    workflow = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo first\n      - uses: some/thing/deep@v1\n"

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            assert run.conclusion == "failure"
            message = run.jobs[0].annotations[0].message
            assert message.startswith("some/thing/deep@v1 has no stand-in, and this GitHub does not have some/thing")
            assert "actions/checkout" in message
            assert run.jobs[0].steps[1].conclusion == "skipped"

    run_async(story())


def test_artifacts__kept_by_one_job__fetched_by_the_next__listed_on_the_run(world: Any, run_async: Any) -> None:
    workflow = f"""
on: push
jobs:
  make:
    runs-on: ubuntu-24.04
    steps:
      - run: mkdir -p out/deep && echo a > out/a.txt && echo b > out/deep/b.txt && echo s > out/.hidden
      - {{uses: {UPLOAD}, id: up, with: {{name: both, path: out}}}}
      - {{uses: {UPLOAD}, with: {{name: one, path: "out/*.txt"}}}}
      - {{uses: {UPLOAD}, with: {{name: none, path: missing, if-no-files-found: ignore}}}}
      - run: '[ -n "${{{{ steps.up.outputs.artifact-id }}}}" ]'
  use:
    needs: make
    runs-on: ubuntu-24.04
    steps:
      - {{uses: {DOWNLOAD}, with: {{name: both, path: got}}}}
      - {{uses: {DOWNLOAD}, with: {{path: all}}}}
      - run: cat got/a.txt got/deep/b.txt all/one/a.txt && [ ! -e got/.hidden ]
      - {{uses: {DOWNLOAD}, with: {{name: nothing}}}}
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            assert [job.conclusion for job in run.jobs] == ["success", "failure"], logs(run)
            assert "Artifact not found for name: nothing. This run has: both, one" in logs(run)
            assert [(artifact.name, artifact.size) for artifact in run.artifacts] == [("both", 4), ("one", 2)]
            both, one = run.artifacts
            assert (Path(both.path) / "deep" / "b.txt").read_text() == "b\n"
            archive = archives.artifact_zip(both)
            assert hashlib.sha256(archive).hexdigest() == both.digest
            assert f"sha256:{both.digest}" in logs(run)
            w.runner.delete_artifact(run.id, both.id)
            assert there(both, one) == [False, True]
            assert run.artifacts == [one]
            w.runner.delete(run.id)
            assert run.id not in w.runner.runs
            assert there(one) == [False]
            with pytest.raises(KeyError, match="there is no run"):
                await w.runner.rerun(run.id, failed_only=False, actor="dev-1")

    run_async(story())


def test_stand_ins__setup_cache_attest_docker__say_what_they_are(world: Any, run_async: Any) -> None:
    workflow = """
on: push
jobs:
  a:
    permissions: {id-token: write}
    runs-on: ubuntu-24.04
    steps:
      - {uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97, id: py, with: {python-version: "3.11"}}
      - run: '[ "${{ steps.py.outputs.python-version }}" != "" ] && python3 --version'
      - {uses: actions/setup-node@820762786026740c76f36085b0efc47a31fe5020, with: {node-version: 20}}
      - {uses: actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae, id: c, with: {path: x, key: k}}
      - run: '[ "${{ steps.c.outputs.cache-hit }}" != true ]'
      - {uses: actions/attest-build-provenance@a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32, with: {subject-path: x}}
      - {uses: step-security/harden-runner@b09bb98e06d4d774595224525879c09bc6e98c40}
      - {uses: docker/login-action@4907a6ddec9925e35a0a9e82d7399ccc52663121, with: {registry: r}}
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            log = logs(run)
            assert "Not available in the rehearsal: no attestation was made for x" in log
            assert "Cache not found for key: k" in log
            assert [step.conclusion for step in run.jobs[0].steps][-2] == "failure", log
            assert [step.conclusion for step in run.jobs[0].steps][:-2] == ["success"] * 8, log
            assert "docker/login-action needs a container engine: this path is not rehearsed" in log

    run_async(story())


def test_docker__on_the_path_of_every_job__builds_a_dockerfile(world: Any, run_async: Any) -> None:
    workflow = """
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    env: {SOURCE_DATE_EPOCH: "0"}
    steps:
      - run: |
          mkdir app && echo 1 > app/server.js
          printf 'FROM node:20@sha256:%064d\\nCOPY server.js /srv/\\nCMD ["node", "/srv/server.js"]\\n' 2 > app/Dockerfile
      - run: docker buildx create --name ours --driver docker-container
      - run: >-
          docker buildx build --builder ours --platform linux/amd64 --provenance=false
          --output type=oci,tar=false,rewrite-timestamp=true,dest=${{ github.workspace }}/out --file app/Dockerfile app
      - run: 'grep -q image.manifest out/index.json && cat out/oci-layout'
      - run: docker push elsewhere/image
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            log = logs(run)
            assert [step.conclusion for step in run.jobs[0].steps if step.name.startswith("Run ")][:-1] == [
                "success"
            ] * 4, log
            assert '{"imageLayoutVersion":"1.0.0"}' in log
            assert "docker push elsewhere/image: this is the rehearsal's stand-in for docker" in log
            assert run.conclusion == "failure"

    run_async(story())


SETUP_PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97"


def test_stand_ins__setup_python__takes_another_of_this_machine(world: Any, run_async: Any, tmp_path: Path) -> None:
    workflow = f"""
on: push
jobs:
  there: {{runs-on: ubuntu-24.04, steps: [{{uses: {SETUP_PYTHON}, with: {{python-version: "3.2"}}}}, {{run: python3 --version}}]}}
  missing: {{runs-on: ubuntu-24.04, steps: [{{uses: {SETUP_PYTHON}, with: {{python-version: "3.1"}}}}]}}
"""
    folder = tmp_path / "pythons"
    folder.mkdir()
    (folder / "python3.2").write_text("#!/bin/sh\necho 3.2.1\n")
    (folder / "python3.2").chmod(0o755)

    async def story() -> None:
        async with world(extra_env={"PATH": str(folder)}) as w:
            run = await w.push(workflow)
            there, missing = (job.log_text() for job in run.jobs)
            assert run.conclusion == "success", logs(run)
            assert f"Python 3.2.1 at {folder}/python3.2" in there
            assert "is wanted, this machine has" not in there
            assert there.rstrip().endswith("3.2.1")
            assert "3.1 is wanted, this machine has" in missing

    run_async(story())


def test_runner__that_this_machine_cannot_play__job_fails_saying_so(world: Any, run_async: Any) -> None:
    workflow = """
on: push
jobs:
  mac: {runs-on: macos-15, steps: [{run: 'true'}]}
  box: {runs-on: ubuntu-24.04, container: {image: x}, steps: [{run: 'true'}]}
  db: {runs-on: ubuntu-24.04, services: {postgres: {image: p}}, steps: [{run: 'true'}]}
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            values = {job.key: job.annotations[0].message for job in run.jobs}
            assert "no runner here is labelled 'macos-15'" in values["mac"]
            assert "jobs.box.container needs a container engine" in values["box"]
            assert "jobs.db.services.postgres needs a container engine" in values["db"]
            assert {job.conclusion for job in run.jobs} == {"failure"}

    run_async(story())
