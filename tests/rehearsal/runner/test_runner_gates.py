"""Environments and concurrency in whole runs: who waits, who is asked, who gives way."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rehearsal.runner.clock import SetClock
from rehearsal.runner.hub import EnvironmentRules, InputError, NotAllowed

DEPLOY = """
on: push
jobs:
  deploy:
    runs-on: ubuntu-24.04
    environment: {name: production, url: "https://${{ steps.s.outputs.host }}/x"}
    outputs: {seen: "${{ vars.WHERE }}"}
    steps:
      - id: s
        env: {KEY: "${{ secrets.KEY }}"}
        run: |
          echo "host=example.com" >> "$GITHUB_OUTPUT"
          [ "$KEY" = of-production ]
  open:
    runs-on: ubuntu-24.04
    steps:
      - env: {KEY: "${{ secrets.KEY }}"}
        run: '[ "$KEY" = of-repository ]'
  after: {needs: deploy, runs-on: ubuntu-24.04, steps: [{run: 'true'}]}
"""


def conclusions(run: Any) -> dict[str, str]:
    return {job.name: job.conclusion for job in run.latest_jobs()}


def prepare(w: Any, **rules: Any) -> None:
    w.hub.environments["production"] = EnvironmentRules(name="production", **rules)
    w.hub.common_secrets["KEY"] = "of-repository"
    w.hub.environment_secrets["production"] = {"KEY": "of-production"}


def waiting(run: Any) -> bool:
    return any(job.status == "waiting" for job in run.jobs)


def test_environment__reviewers__waits_and_goes_on_after_one_approval(world: Any, run_async: Any) -> None:
    async def story() -> None:
        async with world() as w:
            prepare(w, reviewers=("release-manager", "dev-1"), prevent_self_review=True)
            run = await w.begin(DEPLOY)
            await w.until(lambda: waiting(run) and run.status == "waiting")
            (pending,) = w.runner.pending(run.id)
            assert (pending.environment, pending.reviewers) == ("production", ["release-manager", "dev-1"])
            with pytest.raises(NotAllowed, match="on-call is not a required reviewer"):
                await w.runner.review(run.id, ["production"], "approved", "on-call", "")
            with pytest.raises(NotAllowed, match=r"does not allow self-review\. Reviewers who may: release-manager"):
                await w.runner.review(run.id, ["production"], "approved", "dev-1", "")
            with pytest.raises(InputError, match="No job of this run waits for a review of 'staging'"):
                await w.runner.review(run.id, ["staging"], "approved", "release-manager", "")
            await w.runner.review(run.id, ["production"], "approved", "release-manager", "go")
            await w.runner.wait(run.id)
            assert conclusions(run) == {"deploy": "success", "open": "success", "after": "success"}
            deploy = next(job for job in run.jobs if job.key == "deploy")
            assert deploy.environment_url == "https://example.com/x"
            assert deploy.outputs == {"seen": "production"}
            assert [(review.user, review.state, review.comment) for review in run.reviews] == [
                ("release-manager", "approved", "go")
            ]
            assert w.runner.pending(run.id) == []

    run_async(story())


@pytest.mark.parametrize("rules", [{"reviewers": ("release-manager",)}, {"wait_minutes": 30}])
def test_environment__bypassed__starts_without_a_review_or_the_timer(
    world: Any, run_async: Any, rules: dict[str, Any]
) -> None:
    async def story() -> None:
        async with world() as w:
            prepare(w, **rules)
            run = await w.begin(DEPLOY)
            await w.until(lambda: waiting(run))
            with pytest.raises(InputError, match=r"No job of this run waits for 'staging'\. Waiting: production"):
                await w.runner.bypass(run.id, ["staging"], "release-manager", "")
            assert waiting(run)
            await w.runner.bypass(run.id, ["production"], "release-manager", "checkout is down")
            await w.runner.wait(run.id)
            assert conclusions(run)["deploy"] == "success"
            assert [(one.user, one.state, one.comment) for one in run.reviews] == [
                ("release-manager", "skipped", "checkout is down")
            ]
            with pytest.raises(InputError, match="no job of it waits"):
                await w.runner.bypass(run.id, ["production"], "release-manager", "")

    run_async(story())


def test_environment__two_jobs_one_after_the_other__each_asks_again(world: Any, run_async: Any) -> None:
    """One review lets through what waits when it is given, and nothing that comes later."""
    workflow = """
on: push
jobs:
  one: {runs-on: ubuntu-24.04, environment: production, steps: [{run: 'true'}]}
  two: {needs: one, runs-on: ubuntu-24.04, environment: production, steps: [{run: 'true'}]}
"""

    async def story() -> None:
        async with world() as w:
            prepare(w, reviewers=("release-manager",))
            run = await w.begin(workflow)
            for name in ("one", "two"):
                await w.until(lambda: waiting(run))
                assert [job.name for job in run.jobs if job.status == "waiting"] == [name]
                await w.runner.review(run.id, ["production"], "approved", "release-manager", f"go, {name}")
                await w.until(lambda: not waiting(run))
            await w.runner.wait(run.id)
            assert conclusions(run) == {"one": "success", "two": "success"}
            assert [review.comment for review in run.reviews] == ["go, one", "go, two"]

    run_async(story())


def test_environment__rejected__job_fails_and_nothing_after_it_runs(world: Any, run_async: Any) -> None:
    async def story() -> None:
        async with world() as w:
            prepare(w, reviewers=("release-manager",))
            run = await w.begin(DEPLOY)
            await w.until(lambda: waiting(run))
            await w.runner.review(run.id, ["production"], "rejected", "release-manager", "not today")
            await w.runner.wait(run.id)
            assert run.conclusion == "failure"
            assert conclusions(run) == {"deploy": "failure", "open": "success", "after": "skipped"}
            deploy = next(job for job in run.jobs if job.key == "deploy")
            assert deploy.annotations[0].message.startswith("The deployment was rejected")
            assert deploy.steps == []

    run_async(story())


def test_environment__branch_not_allowed__job_fails_with_githubs_words(world: Any, run_async: Any) -> None:
    async def story() -> None:
        async with world() as w:
            prepare(w, branch_patterns=("release/*",))
            run = await w.push(DEPLOY)
            deploy = next(job for job in run.jobs if job.key == "deploy")
            assert deploy.conclusion == "failure"
            assert deploy.annotations[0].message == (
                'Branch "main" is not allowed to deploy to production due to environment protection rules.'
            )

    run_async(story())


def test_environment__wait_timer__opens_when_the_clock_says(world: Any, run_async: Any) -> None:
    async def story() -> None:
        clock = SetClock(datetime(2026, 1, 1, tzinfo=UTC))
        async with world(clock=clock) as w:
            prepare(w, wait_minutes=30)
            run = await w.begin(DEPLOY)
            await w.until(lambda: run.status == "waiting")
            assert w.runner.pending(run.id)[0].wait_timer == 30
            clock.move(timedelta(minutes=29))
            await asyncio.sleep(0)
            assert waiting(run)
            clock.move(timedelta(minutes=1))
            await w.runner.wait(run.id)
            assert run.conclusion == "success"

    run_async(story())


HELD = """
name: NAME
on: push
TOP
jobs:
  hold:
    runs-on: ubuntu-24.04
    JOB
    steps: [{run: 'echo started >> "$FLAGS/$GITHUB_RUN_NUMBER"; while [ ! -e "$FLAGS/go" ]; do sleep 0.02; done'}]
"""


@pytest.mark.parametrize("level", ["workflow", "job"])
def test_concurrency__third_run__evicts_the_second(world: Any, run_async: Any, tmp_path: Any, level: str) -> None:
    group = "concurrency: deploy-${{ github.ref }}"
    workflow = HELD.replace("TOP", group if level == "workflow" else "").replace("JOB", group if level == "job" else "")

    async def story() -> None:
        async with world(extra_env={"FLAGS": str(tmp_path)}) as w:
            first = await w.begin(workflow)
            await w.until((tmp_path / "1").exists)
            second = await w.begin(workflow)
            await w.until(lambda: second.status == "pending")
            third = await w.begin(workflow)
            await w.runner.wait(second.id)
            assert second.conclusion == "cancelled"
            assert third.status == "pending"
            if level == "workflow":
                assert second.error.startswith("Canceling since a higher priority waiting request")
            (tmp_path / "go").touch()
            for run in (first, third):
                await w.runner.wait(run.id)
                assert run.conclusion == "success"
            if level == "job":
                reason = "Canceling since a higher priority waiting request for 'deploy-refs/heads/main' exists"
                assert second.jobs[0].annotations[0].message == reason

    run_async(story())


@pytest.mark.parametrize("level", ["workflow", "job"])
def test_concurrency__queue_max__all_wait_and_run_one_after_the_other(
    world: Any, run_async: Any, tmp_path: Any, level: str
) -> None:
    group = "concurrency: {group: one, cancel-in-progress: false, queue: max}"
    workflow = HELD.replace("TOP", group if level == "workflow" else "").replace("JOB", group if level == "job" else "")

    async def story() -> None:
        async with world(extra_env={"FLAGS": str(tmp_path)}) as w:
            runs = [await w.begin(workflow)]
            await w.until((tmp_path / "1").exists)
            for _ in range(3):
                runs.append(await w.begin(workflow))
                await w.until(lambda: runs[-1].status == "pending")
            assert not (tmp_path / "2").exists()
            (tmp_path / "go").touch()
            for run in runs:
                await w.runner.wait(run.id)
            assert [run.conclusion for run in runs] == ["success"] * 4
            spans = [(run.jobs[0].started_at, run.jobs[0].completed_at) for run in runs]
            assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))

    run_async(story())


def test_concurrency__queue_max_with_cancelling_by_an_expression__is_refused(world: Any, run_async: Any) -> None:
    group = "concurrency: {group: one, queue: max, cancel-in-progress: \"${{ github.event_name == 'push' }}\"}"

    async def story() -> None:
        async with world() as w:
            run = await w.push(HELD.replace("TOP", "").replace("JOB", group))
            assert "`queue: max` cannot be combined" in run.jobs[0].annotations[0].message
            run = await w.push(HELD.replace("TOP", group).replace("JOB", ""))
            assert (run.conclusion, "`queue: max` cannot be combined" in run.error) == ("startup_failure", True)

    run_async(story())


def test_environment__no_deployment__gated_with_secrets_and_url_of_needs_and_inputs(world: Any, run_async: Any) -> None:
    workflow = """
on: {workflow_dispatch: {inputs: {path: {required: true}}}}
jobs:
  plan: {runs-on: ubuntu-24.04, outputs: {host: example.com}, steps: [{run: 'true'}]}
  check:
    needs: plan
    runs-on: ubuntu-24.04
    environment: {name: production, url: "https://${{ needs.plan.outputs.host }}/${{ inputs.path }}", deployment: false}
    steps: [{env: {KEY: "${{ secrets.KEY }}"}, run: '[ "$KEY" = of-production ]'}]
"""

    async def story() -> None:
        async with world() as w:
            prepare(w, reviewers=("release-manager",))
            sha = w.hub.commit({".github/workflows/ci.yml": workflow})
            event = w.event(sha, "workflow_dispatch", inputs={"path": "health"})
            run = await w.runner.dispatch(event, ".github/workflows/ci.yml")
            await w.until(lambda: waiting(run))
            await w.runner.review(run.id, ["production"], "approved", "release-manager", "")
            await w.runner.wait(run.id)
            job = next(job for job in run.jobs if job.key == "check")
            assert (job.conclusion, job.makes_deployment, job.environment) == ("success", False, "production")
            assert job.environment_url == "https://example.com/health"

    run_async(story())


def test_concurrency__cancel_in_progress__the_running_one_makes_room(world: Any, run_async: Any, tmp_path: Any) -> None:
    workflow = HELD.replace("TOP", "concurrency: {group: one, cancel-in-progress: true}").replace("JOB", "")

    async def story() -> None:
        async with world(extra_env={"FLAGS": str(tmp_path)}) as w:
            first = await w.begin(workflow)
            await w.until((tmp_path / "1").exists)
            second = await w.begin(workflow)
            await w.runner.wait(first.id)
            assert first.conclusion == "cancelled"
            (tmp_path / "go").touch()
            await w.runner.wait(second.id)
            assert second.conclusion == "success"

    run_async(story())


def test_concurrency__group_is_taken_before_approval(world: Any, run_async: Any) -> None:
    workflow = DEPLOY.replace(
        "    runs-on: ubuntu-24.04\n    environment:",
        "    runs-on: ubuntu-24.04\n    concurrency: lock\n    environment:",
    )

    async def story() -> None:
        async with world() as w:
            prepare(w, reviewers=("release-manager",))
            first = await w.begin(workflow)
            await w.until(lambda: waiting(first))
            second = await w.begin(workflow)
            await w.until(lambda: any(job.status == "pending" for job in second.jobs))
            assert not waiting(second)
            await w.runner.cancel(first.id)
            await w.until(lambda: waiting(second))
            assert first.conclusion in (None, "cancelled")
            await w.runner.review(second.id, ["production"], "approved", "release-manager", "")
            await w.runner.wait(second.id)
            assert second.conclusion == "success"

    run_async(story())


def test_concurrency__job_waits_for_its_own_workflow__deadlock_is_reported(world: Any, run_async: Any) -> None:
    workflow = HELD.replace("TOP", "concurrency: one").replace("JOB", "concurrency: one")

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            assert "deadlock was detected for concurrency group: 'one'" in run.jobs[0].annotations[0].message

    run_async(story())


CALLER = """
on: push
jobs:
  call: {concurrency: AT_CALLER, uses: ./.github/workflows/inner.yml}
  after: {needs: call, if: always(), runs-on: ubuntu-24.04, steps: [{run: 'test "${{ needs.call.result }}" = success'}]}
"""
INNER = """
on: workflow_call
concurrency: AT_CALLED
jobs:
  hold:
    runs-on: ubuntu-24.04
    steps: [{run: 'touch "$FLAGS/$GITHUB_RUN_NUMBER"; while [ ! -e "$FLAGS/go" ]; do sleep 0.02; done'}]
"""


@pytest.mark.parametrize(("caller", "called"), [("one", ""), ("", "one"), ("first", "second")])
def test_concurrency__of_called_workflows__waits_is_evicted_and_released(
    world: Any, run_async: Any, tmp_path: Any, caller: str, called: str
) -> None:
    files = {".github/workflows/inner.yml": INNER.replace("AT_CALLED", called or "''")}
    workflow = CALLER.replace("AT_CALLER", caller or "''")

    async def story() -> None:
        async with world(extra_env={"FLAGS": str(tmp_path)}) as w:
            first = await w.begin(workflow, files)
            await w.until((tmp_path / "1").exists)
            second = await w.begin(workflow, files)
            third = await w.begin(workflow, files)
            await w.runner.wait(second.id)
            assert conclusions(second) == {"call / hold": "cancelled", "after": "failure"}
            assert not (tmp_path / "2").exists()
            fourth = await w.begin(workflow, files)
            await w.runner.wait(third.id)
            await w.runner.cancel(fourth.id)
            await w.runner.wait(fourth.id)
            assert conclusions(fourth)["call / hold"] == "cancelled"
            (tmp_path / "go").touch()
            await w.runner.wait(first.id)
            last = await w.push(workflow, files)
            assert [first.conclusion, last.conclusion] == ["success", "success"]

    run_async(story())
