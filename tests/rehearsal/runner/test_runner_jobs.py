"""Whole runs through real act: results, outputs, skipping, matrices, called workflows."""

from __future__ import annotations

import json
from typing import Any

import pytest

STEP = "runs-on: ubuntu-24.04\n    steps: [{run: 'true'}]"


def results(run: Any) -> dict[str, str]:
    return {job.name: job.conclusion for job in run.latest_jobs()}


def test_needs__replayed_to_later_jobs__results_and_multi_line_outputs(world: Any, run_async: Any) -> None:
    workflow = """
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    outputs:
      text: ${{ steps.make.outputs.text }}
      mixed: "sha=${{ github.sha }}"
    steps:
      - id: make
        run: printf 'text<<E\\nfirst\\n  it''s "quoted" $HOME `x` $%s 1 }}\\nE\\n' '{{' >> "$GITHUB_OUTPUT"
  broken:
    runs-on: ubuntu-24.04
    outputs: {early: "${{ steps.a.outputs.v }}"}
    steps:
      - {id: a, run: 'echo v=kept >> "$GITHUB_OUTPUT"'}
      - run: exit 1
  never:
    if: github.ref == 'refs/heads/other'
    runs-on: ubuntu-24.04
    steps: [{run: 'true'}]
  last:
    needs: [build, broken, never]
    if: always()
    runs-on: ubuntu-24.04
    outputs: {seen: "${{ toJSON(needs) }}"}
    steps: [{run: 'true'}]
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            assert results(run) == {"build": "success", "broken": "failure", "never": "skipped", "last": "success"}
            assert run.conclusion == "failure"
            by_key = {job.key: job for job in run.jobs}
            text = 'first\n  its "quoted" $HOME `x` ${{ 1 }}'
            assert by_key["build"].outputs == {"text": text, "mixed": f"sha={run.head_sha}"}
            seen = json.loads(by_key["last"].outputs["seen"])
            assert seen["build"] == {"result": "success", "outputs": by_key["build"].outputs}
            assert seen["broken"] == {"result": "failure", "outputs": {"early": "kept"}}
            assert seen["never"]["result"] == "skipped"

    run_async(story())


def test_skip__ancestor_skipped__everything_below_without_status_function_is_skipped(
    world: Any, run_async: Any
) -> None:
    workflow = f"""
on: push
jobs:
  a: {{if: "false", {STEP.replace(chr(10) + "    ", ", ")}}}
  b: {{needs: a, if: always(), {STEP.replace(chr(10) + "    ", ", ")}}}
  c: {{needs: b, {STEP.replace(chr(10) + "    ", ", ")}}}
  d: {{needs: b, if: "!failure() && !cancelled()", {STEP.replace(chr(10) + "    ", ", ")}}}
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            assert results(run) == {"a": "skipped", "b": "success", "c": "skipped", "d": "success"}
            assert run.conclusion == "success"

    run_async(story())


def test_matrix__legs_of_their_own__names_outputs_and_include(world: Any, run_async: Any) -> None:
    workflow = """
on: push
jobs:
  plan:
    runs-on: ubuntu-24.04
    outputs: {list: "${{ steps.p.outputs.list }}"}
    steps: [{id: p, run: 'echo ''list=["x","y"]'' >> "$GITHUB_OUTPUT"'}]
  test:
    needs: plan
    runs-on: ${{ matrix.os }}
    strategy:
      max-parallel: 1
      matrix:
        part: ${{ fromJSON(needs.plan.outputs.list) }}
        os: [ubuntu-24.04]
        include: [{part: y, extra: {deep: 1}}]
    outputs: {"got_${{ matrix.part }}": unused, got: "${{ matrix.part }}:${{ matrix.extra.deep }}"}
    steps: [{run: 'true'}]
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow.replace('"got_${{ matrix.part }}": unused, ', ""))
            assert run.conclusion == "success", run.jobs
            assert results(run) == {
                "plan": "success",
                "test (x, ubuntu-24.04)": "success",
                "test (y, ubuntu-24.04, 1)": "success",
            }
            assert [job.outputs["got"] for job in run.jobs if job.key == "test"] == ["x:", "y:1"]

    run_async(story())


def test_matrix__leg_fails__others_are_cancelled_unless_fail_fast_is_off(world: Any, run_async: Any) -> None:
    workflow = """
on: push
jobs:
  test:
    runs-on: ubuntu-24.04
    strategy: {fail-fast: FAST, matrix: {n: [1, 2]}}
    steps:
      - run: |
          if [ ${{ matrix.n }} = 1 ]; then exit 1; fi
          if [ FAST = true ]; then sleep 60; fi
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow.replace("FAST", "true"))
            assert results(run) == {"test (1)": "failure", "test (2)": "cancelled"}
            run = await w.push(workflow.replace("FAST", "false"))
            assert results(run) == {"test (1)": "failure", "test (2)": "success"}

    run_async(story())


PLANNED = """
on: push
jobs:
  plan:
    runs-on: ubuntu-24.04
    outputs: {legs: "${{ steps.p.outputs.legs }}"}
    steps: [{id: p, env: {LEGS: 'GIVEN'}, run: 'echo "legs=$LEGS" >> "$GITHUB_OUTPUT"'}]
  check:
    name: ${{ matrix.title }}
    needs: plan
    if: always() && CONDITION
    runs-on: ubuntu-24.04
    strategy: {fail-fast: false, max-parallel: 1, matrix: "${{ fromJSON(needs.plan.outputs.legs) }}"}
    outputs: {ran: "${{ steps.s.outputs.ran }}"}
    steps: [{id: s, run: "${{ matrix.run }}"}]
  report:
    needs: check
    if: always()
    runs-on: ubuntu-24.04
    outputs: {seen: "${{ needs.check.result }} ${{ needs.check.outputs.ran }}"}
    steps: [{run: 'true'}]
"""


def test_matrix__planned_as_a_list_of_objects__names_result_and_outputs_over_all_jobs(
    world: Any, run_async: Any
) -> None:
    legs = [
        {"title": "Unit tests", "run": "echo ran=first >> $GITHUB_OUTPUT"},
        {"title": "Types", "run": "echo ran=last >> $GITHUB_OUTPUT"},
        {"title": "Docs", "run": '[ "$GITHUB_RUN_ATTEMPT" = 2 ]'},
    ]
    workflow = PLANNED.replace("GIVEN", json.dumps({"include": legs})).replace("CONDITION", "true")

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            by_name = {job.name: job.conclusion for job in run.jobs}
            assert by_name == {
                "plan": "success",
                "Unit tests": "success",
                "Types": "success",
                "Docs": "failure",
                "report": "success",
            }
            assert next(job for job in run.jobs if job.key == "report").outputs == {"seen": "failure last"}
            kept = {job.name: job.id for job in run.jobs}
            await w.runner.rerun(run.id, failed_only=True, actor="dev-1")
            await w.runner.wait(run.id)
            assert run.conclusion == "success"
            same = {job.name for job in run.latest_jobs() if kept[job.name] == job.id}
            assert same == {"plan", "Unit tests", "Types"}
            assert next(job for job in run.latest_jobs() if job.key == "report").outputs == {"seen": "success last"}

    run_async(story())


@pytest.mark.parametrize(
    ("legs", "says"),
    [
        ('{"include": []}', "Matrix must define at least one vector"),
        ("{}", "Matrix must define at least one vector"),
        ("[]", "is not a mapping"),
        ('{"include": ["x"]}', "include is not a list of mappings"),
    ],
)
def test_matrix__planned_without_legs__job_fails_unless_its_condition_skips_it(
    world: Any, run_async: Any, legs: str, says: str
) -> None:
    workflow = PLANNED.replace("GIVEN", legs)

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow.replace("CONDITION", "true"))
            assert results(run) == {"plan": "success", "check": "failure", "report": "success"}
            assert says in next(job for job in run.jobs if job.key == "check").annotations[0].message
            run = await w.push(workflow.replace("CONDITION", "contains(needs.plan.outputs.legs, 'title')"))
            assert results(run) == {"plan": "success", "check": "skipped", "report": "success"}

    run_async(story())


def test_matrix__empty_vector__job_fails_as_on_github(world: Any, run_async: Any) -> None:
    workflow = "on: push\njobs:\n  a:\n    runs-on: u\n    strategy: {matrix: {n: '${{ fromJSON(''[]'') }}'}}\n    steps: [{run: x}]"

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            assert results(run) == {"a": "failure"}
            assert "Matrix vector 'n' does not contain any values" in run.jobs[0].annotations[0].message

    run_async(story())


def test_called_workflow__inputs_secrets_outputs_and_needs(world: Any, run_async: Any) -> None:
    caller = """
name: Outer
on: push
permissions: {contents: read, id-token: write}
jobs:
  first: {runs-on: ubuntu-24.04, outputs: {n: "3"}, steps: [{run: 'true'}]}
  call:
    needs: first
    uses: ./.github/workflows/inner.yml
    with: {count: "${{ fromJSON(needs.first.outputs.n) }}", text: "a ${{ github.ref_name }}", flag: true}
    secrets: {KEY: "${{ secrets.REAL }}"}
  after:
    needs: call
    runs-on: ubuntu-24.04
    steps: [{run: 'test "${{ needs.call.outputs.result }}" = "3-a main-true-Outer"'}]
"""
    inner = """
name: Inner
on:
  workflow_call:
    inputs: {count: {type: number}, text: {type: string}, flag: {type: boolean}, more: {type: string, default: d}}
    secrets: {KEY: {required: true}}
    outputs: {result: {value: "${{ jobs.two.outputs.r }}"}}
jobs:
  one: {runs-on: ubuntu-24.04, outputs: {x: "${{ inputs.more }}"}, steps: [{run: 'true'}]}
  two:
    name: two ${{ inputs.count }}
    needs: one
    if: inputs.flag
    runs-on: ubuntu-24.04
    outputs: {r: "${{ steps.s.outputs.r }}"}
    steps:
      - id: s
        env: {KEY: "${{ secrets.KEY }}", OTHER: "${{ secrets.REAL }}"}
        run: |
          [ "${{ needs.one.outputs.x }}" = d ]
          [ "$KEY" = s3cret-value ] && [ -z "$OTHER" ]
          echo "r=${{ inputs.count }}-${{ inputs.text }}-${{ inputs.flag }}-${{ github.workflow }}" >> "$GITHUB_OUTPUT"
"""

    async def story() -> None:
        async with world() as w:
            w.hub.common_secrets["REAL"] = "s3cret-value"
            run = await w.push(caller, {".github/workflows/inner.yml": inner})
            assert results(run) == {
                "first": "success",
                "call / one": "success",
                "call / two 3": "success",
                "after": "success",
            }, [job.log_text() for job in run.jobs]
            assert [job.key for job in run.jobs] == ["first", "call/one", "call/two", "after"]

    run_async(story())


def test_workflow_file__not_valid__a_failed_run_that_says_why(world: Any, run_async: Any) -> None:
    async def story() -> None:
        async with world() as w:
            run = await w.push("on: push\njobs:\n  a:\n    runs-on: u\n    needs: [b]\n    steps: [{run: x}]")
            assert run.conclusion == "startup_failure"
            assert run.error == ".github/workflows/ci.yml: jobs.a.needs names `b`, which is not a job of this workflow"
            run = await w.push("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps: [{run: x, shel: bash}]")
            assert run.conclusion == "failure"
            assert "Unknown Property shel" in run.jobs[0].annotations[0].message

    run_async(story())


@pytest.mark.parametrize(
    "event",
    [
        "pull_request",
        "schedule",
        "release",
        "workflow_run",
        "workflow_dispatch",
        "repository_dispatch",
        "deployment_status",
        "issue_comment",
        "create",
        "merge_group",
    ],
)
def test_event__any_name__runs_and_sees_its_payload(world: Any, run_async: Any, event: str) -> None:
    on = {"schedule": "schedule: [{cron: '0 1 * * *'}]", "workflow_run": "workflow_run: {workflows: [CI]}"}
    workflow = f"""
on:
  {on.get(event, event + ":")}
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - env: {{GOT: "${{{{ github.event.marker }}}} ${{{{ github.event_name }}}} ${{{{ github.ref }}}} ${{{{ github.sha }}}}"}}
        run: test "$GOT" = "m-1 {event} $GITHUB_REF $GITHUB_SHA" && test "$GITHUB_REF" = REF && test ${{#GITHUB_SHA}} = 40
"""
    ref = "refs/pull/7/merge" if event == "pull_request" else "refs/heads/main"
    pull = {
        "pull_request": {"number": 7, "base": {"ref": "main", "sha": "0" * 40}, "head": {"ref": "f", "sha": "1" * 40}}
    }
    payload: dict[str, Any] = {
        "marker": "m-1",
        "number": 7,
        "action": "opened",
        **(pull if event == "pull_request" else {}),
    }
    if event == "merge_group":
        ref = "refs/heads/gh-readonly-queue/main/pr-7-abc"
        payload |= {"action": "checks_requested", "merge_group": {"base_ref": "refs/heads/main", "head_ref": ref}}
    if event == "workflow_run":
        payload |= {"workflow_run": {"name": "CI", "head_branch": "main"}}

    async def story() -> None:
        async with world() as w:
            sha = w.hub.commit({".github/workflows/ci.yml": workflow.replace("REF &&", f"{ref} &&")})
            happened = w.event(sha, event, ref, **payload)
            if event == "workflow_dispatch":
                run = await w.runner.dispatch(happened, ".github/workflows/ci.yml")
            else:
                (run,) = await w.runner.emit(happened)
            run = await w.runner.wait(run.id)
            assert run.conclusion == "success", run.jobs[0].log_text()

    run_async(story())


def test_steps__computing_is_reported_from_waiting(world: Any, run_async: Any) -> None:
    workflow = """
on: push
jobs:
  work:
    runs-on: ubuntu-24.04
    steps:
      - {name: waits, run: 'read -r -t 0.5 < <(sleep 2) || true'}
      - {name: computes, run: 'for ((i = 0; i < 200000; i++)); do :; done'}
"""

    async def story() -> None:
        async with world() as w:
            (job,) = (await w.push(workflow)).jobs
            busy = {step.name: step.busy for step in job.steps}
            assert busy["computes"] > 2 * busy["waits"] > 0 or busy["waits"] == 0 < busy["computes"]

    run_async(story())


def test_steps__what_an_action_of_ours_uses_is_counted_apart(world: Any, run_async: Any) -> None:
    """The stand-in in it is as good as nothing; our own part computes."""
    checkout = f"actions/checkout@{'0' * 40}"
    workflow = f"""
on: push
jobs:
  work:
    runs-on: ubuntu-24.04
    steps: [{{uses: {checkout}}}, {{uses: ./ours}}]
"""
    ours = f"""
name: Ours
runs:
  using: composite
  steps:
    - {{name: Python, uses: actions/setup-python@{"0" * 40}}}
    - {{shell: bash, run: 'for ((i = 0; i < 200000; i++)); do :; done'}}
"""

    async def story() -> None:
        async with world() as w:
            (job,) = (await w.push(workflow, {"ours/action.yml": ours})).jobs
            step = next(step for step in job.steps if "ours" in step.name)
            assert step.conclusion == "success", job.log_text()
            assert 0 < step.nested_busy < step.busy

    run_async(story())


def test_workflow_run__chain__ends_after_three(world: Any, run_async: Any) -> None:
    workflow = """
name: Again
on: {push: , workflow_run: {workflows: [Again]}}
jobs: {a: {runs-on: ubuntu-24.04, steps: [{run: 'true'}]}}
"""

    async def story() -> None:
        async with world() as w:
            runs = [await w.push(workflow)]
            for _ in range(4):
                last = runs[-1]
                about = {"id": last.id, "name": last.workflow_name, "head_branch": last.head_branch}
                event = w.event(last.head_sha, "workflow_run", action="completed", workflow_run=about)
                runs += [await w.runner.wait(run.id) for run in await w.runner.emit(event)]
            assert [run.event.name for run in runs] == ["push", "workflow_run", "workflow_run", "workflow_run"]
            assert {run.conclusion for run in runs} == {"success"}

    run_async(story())


def test_emit__disabled_workflow__is_started_by_no_event(world: Any, run_async: Any) -> None:
    workflow = "name: Again\non: push\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: 'true'}]}}\n"

    async def story() -> None:
        async with world() as w:
            sha = w.hub.commit({".github/workflows/ci.yml": workflow})
            w.hub.disabled.add(".github/workflows/ci.yml")
            assert await w.runner.emit(w.event(sha)) == []
            w.hub.disabled.clear()
            (run,) = await w.runner.emit(w.event(sha))
            assert (await w.runner.wait(run.id)).conclusion == "success"

    run_async(story())
