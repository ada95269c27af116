"""A run that is part of the scene: it is there, it says what it is, and nothing of it was carried out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from rehearsal.runner.model import Run
from rehearsal.runner.seeded_run import NOTICE
from tests.rehearsal.runner.conftest import Worlds

PATH = ".github/workflows/ci.yml"
WORKFLOW = """
name: CI
on: push
jobs:
  plan: {name: Plan, runs-on: ubuntu-latest, outputs: {legs: "${{ steps.p.outputs.legs }}"}, steps: [{run: exit 1}]}
  check:
    name: ${{ matrix.title }}
    needs: plan
    strategy: {matrix: {include: "${{ fromJSON(needs.plan.outputs.legs) }}"}}
    runs-on: ubuntu-latest
    steps: [{run: exit 1}]
  ci: {needs: [plan, check], runs-on: ubuntu-latest, steps: [{run: exit 1}]}
"""


def test_a_run_that_was_green_before_the_world_started(world: Worlds, run_async: Callable[[Any], Any]) -> None:
    async def story() -> None:
        async with world() as here:
            sha = here.hub.commit({PATH: WORKFLOW})
            run = await here.runner.seed_run(here.event(sha), PATH, ("Lint", "Tests"))
            assert (run.status, run.conclusion, run.head_sha, run.number) == ("completed", "success", sha, 1)
            assert [(job.key, job.name) for job in run.jobs] == [
                ("plan", "Plan"),
                ("check", "Lint"),
                ("check", "Tests"),
                ("ci", "ci"),
            ]
            assert {(job.status, job.conclusion) for job in run.jobs} == {("completed", "success")}
            assert all(NOTICE in job.log_text() for job in run.jobs)
            assert here.hub.issued == []
            assert here.hub.changes == [("completed", None, "")]
            assert msgspec.convert(msgspec.to_builtins(run), Run) == run
            # Run again it is a run like any other, and this file fails.
            await here.runner.rerun(run.id, failed_only=False, actor="dev-1")
            assert (await here.runner.wait(run.id)).conclusion == "failure"

    run_async(story())


def test_a_file_that_is_not_there_has_no_history(world: Worlds, run_async: Callable[[Any], Any]) -> None:
    async def story() -> None:
        async with world() as here:
            sha = here.hub.commit({PATH: WORKFLOW})
            with pytest.raises(KeyError):
                await here.runner.seed_run(here.event(sha), ".github/workflows/other.yml", ())

    run_async(story())
