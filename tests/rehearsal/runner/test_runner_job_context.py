"""What a job gets and gives: tokens, secrets, OIDC, its environment, logs, annotations, summaries."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import jwt

from tests.rehearsal.runner.small_hub import CHECKOUT, KEY, git, logs


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
            heads = [line.partition(" ")[2] for step in job.steps for line in step.log]
            assert "  T: ***" in heads
            assert "  PAIR: ***" in heads

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
        id: talker
        with: {word: hello}
      - name: heard
        run: echo "heard ${{ steps.talker.outputs.heard }}"
"""
    talker = """
name: Talker
inputs: {word: {default: w}}
outputs: {heard: {value: "${{ steps.say.outputs.word }}"}}
runs:
  using: composite
  steps:
    - {shell: bash, run: 'echo "said ${{ inputs.word }}"; echo "## once" >> $GITHUB_STEP_SUMMARY'}
    - {id: say, shell: bash, run: 'echo "word=${{ inputs.word }}" >> $GITHUB_OUTPUT'}
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
                (8, "heard", "success"),
                (9, "Complete job", "success"),
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
            assert job.steps[7].log[0].partition(" ")[2] == '##[group]Run echo "heard hello"'

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
