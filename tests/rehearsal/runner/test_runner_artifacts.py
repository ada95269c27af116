"""Artifacts between the jobs and attempts of a run: names, patterns, re-runs, retention."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rehearsal.runner.engine import ActRunner

UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"


def logs(run: Any) -> str:
    return "\n".join(job.log_text() for job in run.jobs)


def kept(run: Any) -> list[tuple[str, str]]:
    """Name and text of each artifact of a run, all of one file."""
    return [(artifact.name, next(Path(artifact.path).iterdir()).read_text()) for artifact in run.artifacts]


def test_upload__legs_of_a_matrix__by_pattern_apart_or_merged(world: Any, run_async: Any) -> None:
    workflow = f"""
on: push
jobs:
  make:
    runs-on: ubuntu-24.04
    strategy: {{matrix: {{part: [api, web]}}}}
    steps:
      - run: echo ${{{{ matrix.part }}}} > ${{{{ matrix.part }}}}.txt
      - {{uses: {UPLOAD}, id: up, with: {{name: "result-${{{{ matrix.part }}}}", path: "*.txt", retention-days: 5}}}}
      - run: |
          [[ "${{{{ steps.up.outputs.artifact-digest }}}}" =~ ^[0-9a-f]{{64}}$ ]]
          [[ "${{{{ steps.up.outputs.artifact-id }}}}" =~ ^[0-9]+$ ]]
      - {{uses: {UPLOAD}, with: {{name: "other-${{{{ matrix.part }}}}", path: "*.txt", retention-days: 400}}}}
  use:
    needs: make
    runs-on: ubuntu-24.04
    steps:
      - {{uses: {DOWNLOAD}, with: {{pattern: "result-*", path: merged, merge-multiple: true}}}}
      - {{uses: {DOWNLOAD}, with: {{pattern: "result-*", path: apart}}}}
      - run: cat merged/api.txt merged/web.txt apart/result-api/api.txt apart/result-web/web.txt && [ ! -e apart/other-api ]
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            assert run.conclusion == "success", logs(run)
            days = {artifact.name: artifact.retention_days for artifact in run.artifacts}
            assert days == {"result-api": 5, "result-web": 5, "other-api": 90, "other-web": 90}
            assert "retention-days cannot be greater than the 90" in logs(run)

    run_async(story())


def test_upload__name_taken_in_this_attempt__fails_unless_overwriting(world: Any, run_async: Any) -> None:
    workflow = f"""
on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - run: echo 1 > one; echo 22 > two
      - {{uses: {UPLOAD}, with: {{name: same, path: one}}}}
      - {{uses: {UPLOAD}, id: again, continue-on-error: true, with: {{name: same, path: two}}}}
      - run: '[ "${{{{ steps.again.outcome }}}}" = failure ]'
      - {{uses: {UPLOAD}, with: {{name: same, path: two, overwrite: true}}}}
      - {{uses: {UPLOAD}, with: {{name: none, path: missing, if-no-files-found: error}}}}
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            assert "an artifact named same exists in this attempt of the run already" in logs(run)
            assert "No files were found with the provided path: missing" in logs(run)
            assert [step.conclusion for step in run.jobs[0].steps][4:] == ["success", "success", "failure", "success"]
            assert [(artifact.name, artifact.size) for artifact in run.artifacts] == [("same", 3)]

    run_async(story())


RERUN = f"""
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: echo "build $GITHUB_RUN_ATTEMPT" > b
      - {{uses: {UPLOAD}, if: github.run_attempt < 3, with: {{name: build, path: b}}}}
  test:
    needs: build
    runs-on: ubuntu-24.04
    steps:
      - {{uses: {DOWNLOAD}, with: {{name: build}}}}
      - run: cat b; echo "test $GITHUB_RUN_ATTEMPT" > t
      - {{uses: {UPLOAD}, with: {{name: test, path: t}}}}
      - {{uses: {DOWNLOAD}, with: {{name: test, path: got}}}}
      - run: '[ "$(cat got/t)" = "test $GITHUB_RUN_ATTEMPT" ] && [ "$GITHUB_RUN_ATTEMPT" -gt 1 ]'
"""


def test_rerun_of_failed_jobs__sees_what_earlier_attempts_kept__the_newest_of_a_name(
    world: Any, run_async: Any
) -> None:
    async def story() -> None:
        async with world() as w:
            run = await w.push(RERUN)
            assert run.conclusion == "failure"
            await w.runner.rerun(run.id, failed_only=True, actor="dev-1")
            await w.runner.wait(run.id)
            assert run.conclusion == "success", logs(run)
            assert kept(run) == [("build", "build 1\n"), ("test", "test 1\n"), ("test", "test 2\n")]
            other = ActRunner(w.hub, w.settings)
            other.load(w.runner.save())
            assert kept(other.runs[run.id]) == kept(run)

    run_async(story())


def test_rerun_of_all_jobs__has_nothing_of_earlier_attempts(world: Any, run_async: Any) -> None:
    async def story() -> None:
        async with world() as w:
            run = await w.push(RERUN)
            for _ in range(2):
                await w.runner.rerun(run.id, failed_only=False, actor="dev-1")
                await w.runner.wait(run.id)
            assert run.attempt == 3
            assert "Artifact not found for name: build. This run has: none" in logs(run)
            assert run.artifacts == []

    run_async(story())
