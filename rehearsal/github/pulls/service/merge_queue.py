"""The merge queue of a branch: pull requests that are checked on top of each other, and merged in order.

Each gets a branch `gh-readonly-queue/BASE/pr-NUMBER-SHA` and the event `merge_group`. The first one is merged as soon as the required
checks of that commit have passed; when one fails, or does not report in time, it leaves and those behind it are built anew.
Sources: docs.github.com/repositories/…/managing-a-merge-queue, …/webhooks (merge_group, pull_request), the description of the rule.
"""

from __future__ import annotations

import asyncio
from typing import Any

from rehearsal.github.events.delivery import deliver
from rehearsal.github.git.bare import ZERO
from rehearsal.github.git.merging import Conflict
from rehearsal.github.git.receiving import RefChange
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import unprocessable
from rehearsal.github.protection.rules import QueueRules, rules_for
from rehearsal.github.pulls.rules import check_enqueue, deletes_head, group_state, queue_of, removal_reason
from rehearsal.github.pulls.service.merge import MergeRequest, delete_head, merged_commit
from rehearsal.github.pulls.service.pull_requests import deliver_event, record_merge
from rehearsal.github.pulls.state import MergeGroup, MergeQueueEntry, PullRequest
from rehearsal.github.repositories.render.commits import simple_commit
from rehearsal.github.repositories.service.pushes import refs_moved
from rehearsal.github.repositories.state import Repository


class MergeQueues:
    """Moves the queues of all repositories on whenever something has changed."""

    def __init__(self, instance: GitHubInstance) -> None:
        self._instance = instance
        self._task: asyncio.Task[None] | None = None
        self._changed = False
        instance.on_change.append(self._wake)

    async def wait(self) -> None:
        """Until nothing is left to do before something else changes."""
        while self._task is not None and not self._task.done():
            await self._task

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _wake(self) -> None:
        if not self._branches():
            return
        self._changed = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work(), name="merge queues")

    async def _work(self) -> None:
        while self._changed:
            self._changed = False
            for repository, branch in self._branches():
                await advance(self._instance, repository, branch)

    def _branches(self) -> list[tuple[Repository, str]]:
        return [
            (repository, branch)
            for repository in self._instance.database.repositories.values()
            for branch in sorted({one.base_ref for one in repository.pulls.values() if one.queue_entry is not None})
        ]


async def enqueue(
    instance: GitHubInstance,
    repository: Repository,
    pull: PullRequest,
    by: Identity,
    *,
    expected_head: str | None = None,
) -> MergeQueueEntry:
    """Put a pull request at the end of the queue of its base: its entry. Raises Problem 422 with what it lacks for that."""
    check_enqueue(repository, pull, expected_head=expected_head)
    entry = pull.queue_entry = MergeQueueEntry(
        id=instance.database.next_id("merge_queue_entry"),
        enqueuer=by.login,
        enqueued_at=instance.now(),
        head_sha=pull.head_sha,
    )
    await deliver_event(instance, repository, pull, "enqueued", by)
    await advance(instance, repository, pull.base_ref)
    return entry


async def dequeue(instance: GitHubInstance, repository: Repository, pull: PullRequest, by: Identity) -> MergeQueueEntry:
    """Take a pull request out of the queue: the entry it had. Raises Problem 422 when it is not in it."""
    async with instance.queueing:
        entry = pull.queue_entry
        if entry is None:
            raise unprocessable("Pull request is not in the queue")
        await _leave(instance, repository, pull, "MANUAL", by)
    await advance(instance, repository, pull.base_ref)
    return entry


async def advance(instance: GitHubInstance, repository: Repository, branch: str) -> None:
    """Do all that is due in the queue of a branch at this moment."""
    async with instance.queueing:
        while await _advance_once(instance, repository, branch):
            pass


async def _advance_once(instance: GitHubInstance, repository: Repository, branch: str) -> bool:
    """One step that is due; False when nothing is."""
    waiting = queue_of(repository, branch)
    bot = _bot(instance)
    for pull, entry in waiting:
        reason = removal_reason(repository, pull, entry, instance.now())
        if reason is not None:
            await _leave(instance, repository, pull, reason, bot)
            return True
    rules, tip = rules_for(repository, f"refs/heads/{branch}").queue, instance.git(repository).branch(branch)
    if not waiting or rules is None or tip is None:
        return False
    for position, (pull, entry) in enumerate(waiting):
        if entry.group is None:
            if position >= rules.entries_built:
                return False
            await _build(instance, repository, pull, entry, rules, tip)
            return True
        if entry.group.base_sha != tip:
            await _destroy(instance, repository, pull, entry, "invalidated")
            return True
        if position == 0 and group_state(repository, pull, entry.group) == "passed":
            await _merge(instance, repository, pull, entry.group)
            return True
        tip = entry.group.head_sha
    return False


async def _build(
    instance: GitHubInstance,
    repository: Repository,
    pull: PullRequest,
    entry: MergeQueueEntry,
    rules: QueueRules,
    base: str,
) -> None:
    """Merge it into what is ahead of it, and ask for checks; out of the queue with it when it conflicts with that."""
    bot = _bot(instance)
    head = await merged_commit(instance, repository, pull, MergeRequest(method=rules.method), bot, base=base)
    if isinstance(head, Conflict):
        await _leave(instance, repository, pull, "MERGE_CONFLICT", bot)
        return
    ref = f"refs/heads/gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base}"
    await instance.git(repository).update_ref(ref, head)
    entry.group = MergeGroup(ref=ref, base_sha=base, head_sha=head, made_at=instance.now())
    await refs_moved(instance, repository, [RefChange(ref=ref, old=ZERO, new=head)], bot)
    await _deliver_group_event(instance, repository, pull, entry.group, {"action": "checks_requested"})


async def _merge(instance: GitHubInstance, repository: Repository, pull: PullRequest, group: MergeGroup) -> None:
    """The base takes the very commit that was checked."""
    bot, ref = _bot(instance), f"refs/heads/{pull.base_ref}"
    if not await instance.git(repository).update_ref(ref, group.head_sha, group.base_sha):
        return  # someone who may bypass the queue pushed meanwhile: it is built anew
    record_merge(instance, repository, pull, group.head_sha, bot)
    await refs_moved(instance, repository, [RefChange(ref=ref, old=group.base_sha, new=group.head_sha)], bot)
    await _leave(instance, repository, pull, "MERGE", bot)
    await deliver_event(instance, repository, pull, "closed", bot)
    if deletes_head(repository, pull):
        await delete_head(instance, repository, pull, bot)


async def _leave(
    instance: GitHubInstance, repository: Repository, pull: PullRequest, reason: str, by: Identity
) -> None:
    """`reason` in the words of the event `dequeued`."""
    entry, pull.queue_entry = pull.queue_entry, None
    if entry is not None:
        await _destroy(instance, repository, pull, entry, "merged" if reason == "MERGE" else "dequeued")
    await deliver_event(instance, repository, pull, "dequeued", by, {"reason": reason})


async def _destroy(
    instance: GitHubInstance, repository: Repository, pull: PullRequest, entry: MergeQueueEntry, reason: str
) -> None:
    """merged, dequeued, or invalidated when what was ahead of it is not any more."""
    group, entry.group = entry.group, None
    if group is None:
        return
    if await instance.git(repository).update_ref(group.ref, ZERO, group.head_sha):
        gone = RefChange(ref=group.ref, old=group.head_sha, new=ZERO)
        await refs_moved(instance, repository, [gone], _bot(instance))
    await _deliver_group_event(instance, repository, pull, group, {"action": "destroyed", "reason": reason})


async def _deliver_group_event(
    instance: GitHubInstance, repository: Repository, pull: PullRequest, group: MergeGroup, body: dict[str, Any]
) -> None:
    about = {
        "head_sha": group.head_sha,
        "head_ref": group.ref,
        "base_sha": group.base_sha,
        "base_ref": f"refs/heads/{pull.base_ref}",
        "head_commit": simple_commit(await instance.git(repository).commit(group.head_sha)),
    }
    await deliver(
        instance,
        repository,
        "merge_group",
        {**body, "merge_group": about},
        ref=group.ref,
        sha=group.head_sha,
        by=_bot(instance),
    )


def _bot(instance: GitHubInstance) -> Identity:
    return Identity(user=instance.database.merge_queue_bot(instance.now()))
