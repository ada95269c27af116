"""A GitHub with the real runner behind it, on a loopback port, in a loop on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from rehearsal.github.app import GitHub
from rehearsal.runner.engine import ActRunner
from rehearsal.runner.model import Run
from rehearsal.runner.settings import Settings
from rehearsal.serving import Server

Result = TypeVar("Result")

REPOSITORY = "techmate/platform"
RELEASE = """name: Deploy to Production
run-name: Deploy ${{ inputs.version }} to production
on:
  workflow_dispatch:
    inputs:
      version: {description: 'The tag to release, like v1.0.0', required: true, type: string}
      loud: {description: Tell everybody, type: boolean}
permissions: {}
jobs:
  plan:
    name: Plan
    runs-on: ubuntu-latest
    steps:
      - name: Plan it
        env: {VERSION: '${{ inputs.version }}', LOUD: '${{ inputs.loud }}'}
        run: |
          echo "::group::Details"
          echo "inside the group"
          echo "::endgroup::"
          echo "planning $VERSION, loud: $LOUD"
          seq 100 180
          echo "<script>document.title = 'owned'</script>"
          echo "### Plan for $VERSION" >> "$GITHUB_STEP_SUMMARY"
  approval:
    name: Approval
    needs: plan
    environment: production-approval
    runs-on: ubuntu-latest
    steps: [{run: echo approved}]
  deploy:
    name: Deploy
    needs: approval
    environment: production
    runs-on: ubuntu-latest
    steps:
      - name: Wait to be let go
        run: for i in $(seq 600); do echo "looked $i times"; [ -e "$LET_GO" ] && exit 0; sleep 0.1; done; exit 1
"""


class LiveGitHub:
    """`with LiveGitHub(folder) as github:` has an address, people, and one workflow to release by.

    Its job `deploy` works until `let_go` is called.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._gate = folder / "let-go"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.github = GitHub(folder / "github", lambda: datetime.now(UTC))
        self._server = Server(self.github.app, "github")
        settings = Settings(root=folder / "runner", extra_env={"LET_GO": str(self._gate)})
        self.runner = ActRunner(self.github.hub, settings)

    def __enter__(self) -> LiveGitHub:
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def address(self) -> str:
        return self._server.url

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Carry out a coroutine on the world's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def let_go(self) -> None:
        self._gate.touch()

    def the_run(self) -> Run:
        """The only run there is."""
        (run,) = self.runner.runs.values()
        return run

    async def _start(self) -> None:
        await self._server.start()
        self.github.address = self._server.url
        await self.runner.start()
        self.github.attach(self.runner)
        seed = self.github.seed
        await seed.repository(
            REPOSITORY,
            files={".github/workflows/deploy-production.yml": RELEASE, "README.md": "# Platform\n"},
            roles={"dev-1": "write", "release-manager": "admin"},
            author="dev-1",
        )
        seed.environment(REPOSITORY, "production-approval", reviewers=("release-manager",), prevent_self_review=True)

    async def _stop(self) -> None:
        await self.runner.stop()
        await self._server.stop()
        await self.github.stop()
        # Exits of processes arrive from watcher threads; let the loop see them before it closes.
        await asyncio.get_running_loop().shutdown_default_executor()
