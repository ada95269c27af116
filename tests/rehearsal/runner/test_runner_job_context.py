"""What a job gets and gives: tokens, secrets, OIDC, logs, annotations, summaries, actions, artifacts."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import jwt
import pytest

from rehearsal.github.runs.service import archives
from rehearsal.runner.model import Artifact
from tests.rehearsal.runner.small_hub import CHECKOUT, KEY, git

UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"


def logs(run: Any) -> str:
    return "\n".join(job.log_text() for job in run.jobs)


def there(*artifacts: Artifact) -> list[bool]:
    return [Path(artifact.path).exists() for artifact in artifacts]


def test_secrets__masked_in_everything_that_is_kept(world: Any, run_async: Any) -> None:
    secret = "first-line-of-it\nsecond-line-of-it"
    workflow = """
on: push
jobs:
  leak:
    runs-on: ubuntu-24.04
    outputs: {secret: "${{ secrets.PAIR }}", half: "x-${{ steps.a.outputs.half }}", fine: "fine"}
    steps:
      - name: Say ${{ github.event.word }}
        id: a
        env: {PAIR: "${{ secrets.PAIR }}"}
        run: |
          echo "$PAIR"
          printf '%s' "$PAIR" | base64 -w0; echo
          printf 'abc%s' "$PAIR" | base64 -w0; echo
          echo "::error title=t first-line-of-it::says second-line-of-it"
          echo "summary first-line-of-it" >> "$GITHUB_STEP_SUMMARY"
          word="added"-later; echo "::add-mask::$word"; echo "then $word"
          echo "half=second-line-of-it" >> "$GITHUB_OUTPUT"
      - env: {T: "${{ github.token }}"}
        run: echo "token is $T"
"""

    async def story() -> None:
        async with world() as w:
            w.hub.common_secrets["PAIR"] = secret
            run = await w.push(workflow)
            assert run.conclusion == "success", logs(run)
            (job,) = run.jobs
            shown = repr(job)
            for form in (
                "first-line-of-it",
                "second-line-of-it",
                "added-later",
                base64.b64encode(b"first-line")[:12].decode(),
            ):
                assert str(form) not in shown
            assert job.outputs == {"fine": "fine"}
            warnings = [note.message for note in job.annotations if note.level == "warning"]
            assert warnings == [f"Skip output '{name}' since it may contain secret." for name in ("secret", "half")]
            assert job.summary() == "summary ***\n"
            assert job.annotations[0].message == "says ***"
            assert "token is ***" in job.log_text()

    run_async(story())


def test_log__groups_commands_steps_and_annotations(world: Any, run_async: Any) -> None:
    workflow = """
on: push
jobs:
  talk:
    runs-on: ubuntu-24.04
    steps:
      - name: Talk to ${{ github.actor }}
        run: |
          echo "::group::Details"; echo inside; echo "::endgroup::"
          echo "::warning file=src/a.py,line=3,endLine=5,title=Careful::two%0Alines"
          for i in $(seq 15); do echo "::notice::n$i"; done
          echo "::stop-commands::tok"; echo "::error::not one"; echo "::tok::"
          printf '\\033[31mred\\033[0m\\n'
      - run: echo "of two" && echo lines
        continue-on-error: true
      - name: tolerated
        run: exit 4
        continue-on-error: true
      - if: failure()
        run: echo never
      - uses: ./talker
        with: {word: hello}
"""
    talker = """
name: Talker
inputs: {word: {default: w}}
runs:
  using: composite
  steps:
    - {shell: bash, run: 'echo "said ${{ inputs.word }}"; echo "## once" >> $GITHUB_STEP_SUMMARY'}
"""

    async def story() -> None:
        async with world() as w:
            with_checkout = workflow.replace("    steps:\n", f"    steps:\n      - uses: {CHECKOUT}\n", 1)
            run = await w.push(with_checkout, {"talker/action.yml": talker})
            (job,) = run.jobs
            assert job.conclusion == "success", logs(run)
            assert [(step.number, step.name, step.conclusion) for step in job.steps] == [
                (1, "Set up job", "success"),
                (2, f"Run {CHECKOUT}", "success"),
                (3, "Talk to dev-1", "success"),
                (4, 'Run echo "of two" && echo lines', "success"),
                (5, "tolerated", "success"),
                (6, "Run echo never", "skipped"),
                (7, "Run ./talker", "success"),
                (8, "Complete job", "success"),
            ]
            talk = [line.split(" ", 1)[1] for line in job.steps[2].log]
            start = talk.index("##[endgroup]") + 1
            assert talk[start : start + 5] == [
                "##[group]Details",
                "inside",
                "##[endgroup]",
                "##[warning]two",
                "lines",
            ]
            assert "::error::not one" in talk
            first = job.annotations[0]
            assert (first.level, first.message, first.title, first.path) == (
                "warning",
                "two\nlines",
                "Careful",
                "src/a.py",
            )
            assert (first.start_line, first.end_line) == (3, 5)
            assert sum(note.level == "notice" for note in job.annotations) == 10
            assert job.summary() == "## once\n"
            assert "said hello" in job.log_text()

    run_async(story())


def test_token__permissions_as_declared__retired_at_the_end(world: Any, run_async: Any) -> None:
    workflow = f"""
on: push
permissions: {{}}
jobs:
  none:
    runs-on: ubuntu-24.04
    steps: [{{uses: {CHECKOUT}}}]
  some:
    permissions: {{contents: read, deployments: write}}
    runs-on: ubuntu-24.04
    steps: [{{uses: {CHECKOUT}}}]
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            assert {job.name: job.conclusion for job in run.jobs} == {"none": "failure", "some": "success"}
            assert {"metadata": "read"} in w.hub.issued
            assert {"contents": "read", "deployments": "write", "metadata": "read"} in w.hub.issued
            assert "permissions: contents: read" in run.jobs[0].log_text()
            assert w.hub.tokens == {}

    run_async(story())


def test_fork__read_only_and_no_secrets(world: Any, run_async: Any) -> None:
    workflow = """
on: pull_request
permissions: {contents: write, id-token: write}
jobs:
  a:
    runs-on: ubuntu-24.04
    steps: [{env: {K: "${{ secrets.KEY }}"}, run: 'test -z "$K$ACTIONS_ID_TOKEN_REQUEST_URL"'}]
"""

    async def story() -> None:
        async with world() as w:
            w.hub.common_secrets["KEY"] = "hidden-value"
            sha = w.hub.commit({".github/workflows/ci.yml": workflow})
            sides = {"base": {"ref": "main", "sha": sha}, "head": {"ref": "f", "sha": sha}}
            event = w.event(sha, "pull_request", "refs/pull/1/merge", action="opened", pull_request=sides)
            (run,) = await w.runner.emit(dataclasses.replace(event, from_fork=True))
            await w.runner.wait(run.id)
            assert run.conclusion == "success", logs(run)
            assert w.hub.issued == [{"contents": "read", "metadata": "read"}]

    run_async(story())


def test_oidc__job_with_id_token_write__claims_as_github_forms_them(world: Any, run_async: Any) -> None:
    workflow = """
on: push
jobs:
  with:
    runs-on: ubuntu-24.04
    environment: production
    permissions: {id-token: write}
    outputs: {jwt: "${{ steps.s.outputs.jwt }}", bad: "${{ steps.s.outputs.bad }}"}
    steps:
      - id: s
        run: |
          url="$ACTIONS_ID_TOKEN_REQUEST_URL&audience=https://sts.example.com"
          answer=$(curl -sS -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$url")
          echo "jwt=$(sed 's/.*"value":"\\([^"]*\\)".*/\\1/' <<<"$answer")" >> "$GITHUB_OUTPUT"
          echo "bad=$(curl -sS -o /dev/null -w '%{http_code}' -H 'Authorization: bearer other' "$url")" >> "$GITHUB_OUTPUT"
  without:
    runs-on: ubuntu-24.04
    steps: [{run: 'test -z "$ACTIONS_ID_TOKEN_REQUEST_URL"'}]
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            assert run.conclusion == "success", logs(run)
            job = next(job for job in run.jobs if job.key == "with")
            assert job.outputs["bad"] == "401"
            claims = jwt.decode(job.outputs["jwt"], KEY, algorithms=["HS256"], audience="https://sts.example.com")
            assert claims["sub"] == "repo:acme/demo:environment:production"
            assert claims["repository"] == "acme/demo"
            assert claims["job_workflow_ref"] == "acme/demo/.github/workflows/ci.yml@refs/heads/main"
            assert (claims["ref"], claims["sha"], claims["run_attempt"]) == ("refs/heads/main", run.head_sha, "1")
            assert (claims["environment"], claims["event_name"]) == ("production", "push")

    run_async(story())


def test_environment_of_steps__nothing_leaks__extra_env_arrives(world: Any, run_async: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("OF_THE_PARENT", "leak")
    workflow = """
on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    env: {OWN: "${{ vars.NAME }}"}
    steps:
      - run: |
          [ -z "$OF_THE_PARENT" ] && [ "$WORLD" = round ] && [ "$OWN" = "two
          lines" ]
          [ "${PATH%%:*}" = /opt/first ]
          [ "$HOME" != /root ] && [ -d "$HOME" ]
          if read -r line; then exit 1; fi
      - {shell: 'python {0}', run: 'import os; assert os.environ["GITHUB_TRIGGERING_ACTOR"] == "dev-1"'}
"""

    async def story() -> None:
        async with world(extra_env={"WORLD": "round", "PATH": "/opt/first"}) as w:
            w.hub.common_variables["NAME"] = "two\nlines"
            run = await w.push(workflow)
            assert run.conclusion == "success", logs(run)

    run_async(story())


def test_checkout__refs_depth_path_and_credentials(world: Any, run_async: Any) -> None:
    workflow = f"""
on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - {{uses: {CHECKOUT}, with: {{fetch-depth: 0}}}}
      - run: |
          [ "$(git rev-parse HEAD)" = "$GITHUB_SHA" ] && [ "$(git branch --show-current)" = main ]
          [ "$(git rev-list --count HEAD)" = 2 ] && git fetch -q origin main
      - id: old
        uses: {CHECKOUT}
        with: {{ref: v1, path: old, persist-credentials: false}}
      - run: |
          [ "$(cat old/file)" = one ] && [ -z "$(git -C old config --get-regexp extraheader)" ]
          [ "${{{{ steps.old.outputs.commit }}}}" = "$(git -C old rev-parse HEAD)" ] && ! git -C old fetch -q origin main
      - {{uses: {CHECKOUT}, with: {{ref: no-such, path: none}}, continue-on-error: true}}
      - run: '[ ! -e none/file ]'
"""

    async def story() -> None:
        async with world() as w:
            first = w.hub.commit({"file": "one"})
            git(w.hub.root / "acme/demo.git", "tag", "v1", first)
            run = await w.push(workflow, {"file": "two"})
            assert run.conclusion == "success", logs(run)
            assert "acme/demo has no branch, tag or commit 'no-such'" in logs(run)

    run_async(story())


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
