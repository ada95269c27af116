"""`workflow_run` events: a run is requested, in progress, completed."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from rehearsal.github.checks import service as checks
from rehearsal.github.events.delivery import deliver
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.repositories.state import Repository
from rehearsal.github.runs import render
from rehearsal.github.runs.service import workflows
from rehearsal.github.view import View
from rehearsal.runner.model import Run

_ACTIONS = {"completed": "completed", "in_progress": "in_progress"}
"""Status of a run -> the action delivered; every other one is `requested`."""


async def rendered(instance: GitHubInstance, view: View, repository: Repository, run: Run) -> dict[str, Any]:
    """A run as the API has it."""
    git = instance.git(repository)
    facts = render.RunFacts(
        workflow_id=workflows.ensure(instance, repository, run.workflow_path).id,
        suite_id=checks.run_suite(instance, repository, run).id,
        head=await git.commit(run.head_sha) if await git.peel(run.head_sha) else None,
        head_repository=head_repository(view, repository, run),
    )
    return render.run(view, repository, run, facts)


def head_repository(view: View, repository: Repository, run: Run) -> Repository:
    """A fork's for a pull request from there."""
    pull = run.event.payload.get("pull_request") or {}
    source = (pull.get("head") or {}).get("repo") or {}
    return view.database.repository(str(source.get("full_name") or run.repository)) or repository


class RunEvents:
    """Delivers each change of a run's status once, in order. It starts workflows of the default branch."""

    def __init__(self, instance: GitHubInstance) -> None:
        self._instance = instance
        self._delivered: dict[tuple[int, datetime], tuple[int, str]] = {}
        """Attempt and action that were delivered last; by creation too, because a snapshot may bring numbers back."""
        self._deliveries: set[asyncio.Task[None]] = set()
        self._order = asyncio.Lock()

    def changed(self, repository: Repository, run: Run) -> None:
        """Must be called on the event loop; returns at once."""
        key, action = (run.id, run.created_at), _ACTIONS.get(run.status, "requested")
        attempt, last = self._delivered.get(key, (0, ""))
        if action == "requested" and (run.attempt > 1 or attempt == run.attempt):
            return  # a re-run is not requested, and a run that waits again was requested before
        if (attempt, last) != (run.attempt, action):
            self._delivered[key] = (run.attempt, action)
            task = asyncio.get_running_loop().create_task(self._deliver_event(repository, run, action, run.conclusion))
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)

    async def _deliver_event(self, repository: Repository, run: Run, action: str, conclusion: str | None) -> None:
        instance, view = self._instance, self._instance.view()
        async with self._order:
            tip = instance.git(repository).branch(repository.default_branch)
            if tip is None:
                return
            workflow = workflows.ensure(instance, repository, run.workflow_path)
            state = {"status": "queued" if action == "requested" else action, "conclusion": conclusion}
            body = {
                "action": action,
                "workflow": render.workflow(view, repository, workflow),
                "workflow_run": {**await rendered(instance, view, repository, run), **state},
            }
            by = Identity(user=instance.database.users.get(run.event.actor))
            ref = f"refs/heads/{repository.default_branch}"
            await deliver(instance, repository, "workflow_run", body, ref=ref, sha=tip, by=by)

    async def wait(self) -> None:
        """Until every event so far is delivered."""
        await asyncio.gather(*self._deliveries)

    async def stop(self) -> None:
        """Deliver no more."""
        for task in self._deliveries:
            task.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)
