from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from inspect import isawaitable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from backend.database import DatabaseUnavailableError
from backend.embedding import MODEL
from backend.jobs import ATTEMPTS, Job, JobQueue
from backend.services import Services
from backend.worker import Handler, Worker

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Services]]


def job(kind: str = "test") -> Job:
    return Job(kind=kind, note=uuid4())


async def nothing_overdue() -> list[Job]:
    return []


async def work(queue: JobQueue, handlers: dict[str, Handler], until: Callable[[], bool]) -> list[BaseException]:
    """Run a worker until something is so (five seconds at most); the errors it reported."""
    reported: list[BaseException] = []
    worker = Worker(queue, handlers, overdue=nothing_overdue, report=reported.append, pause=0.005)
    running = asyncio.create_task(worker.run())
    await eventually(until)
    worker.stop()
    await running
    return reported


async def eventually(look: Callable[[], Any]) -> None:
    """Return once `look()`, awaited if need be, is true; fail after five seconds."""
    async with asyncio.timeout(5):
        while True:
            seen = look()
            if await seen if isawaitable(seen) else seen:
                return
            await asyncio.sleep(0.005)


async def test_jobs_are_taken_in_order(connect: Connect) -> None:
    async with connect() as services:
        first, second = job(), job()
        await services.queue.add(first)
        await services.queue.add(second)
        taken = [await services.queue.take("w", wait=1) for _ in range(2)]
        assert [Job.decode(text or "") for text in taken] == [first, second]


async def test_a_job_of_a_worker_that_died_is_taken_over(connect: Connect) -> None:
    now = 1000.0
    async with connect() as services:
        queue = JobQueue(services.redis, namespace=services.settings.redis_namespace, clock=lambda: now)
        await queue.add(lost := job())
        await queue.beat("died")
        taken = await queue.take("died", wait=1)
        now += 29
        assert (await queue.recover(), await queue.depth()) == (0, {"pending": 0, "dead": 0})
        now += 2
        assert (await queue.recover(), await queue.depth()) == (1, {"pending": 1, "dead": 0})
        assert await queue.take("other", wait=1) == taken == lost.encode()


async def test_a_failing_job_is_tried_again_then_put_aside(connect: Connect) -> None:
    attempts: list[int] = []

    async def fail(failing: Job) -> None:
        attempts.append(failing.attempts)
        raise ZeroDivisionError

    async with connect() as services:
        await services.queue.add(job())
        reported = await work(services.queue, {"test": fail}, until=lambda: len(attempts) == ATTEMPTS)
        assert attempts == list(range(ATTEMPTS))
        assert [type(error) for error in reported] == [ZeroDivisionError] * ATTEMPTS
        assert await services.queue.depth() == {"pending": 0, "dead": 1}


async def test_an_outage_of_the_database_costs_no_attempt(connect: Connect) -> None:
    attempts: list[int] = []

    async def away_then_back(given: Job) -> None:
        attempts.append(given.attempts)
        if len(attempts) < ATTEMPTS + 3:
            raise DatabaseUnavailableError

    async with connect() as services:
        await services.queue.add(job())
        reported = await work(services.queue, {"test": away_then_back}, until=lambda: len(attempts) == ATTEMPTS + 3)
        assert set(attempts) == {0}
        assert reported == []
        assert await services.queue.depth() == {"pending": 0, "dead": 0}


async def test_what_is_no_job_is_put_aside_and_the_next_one_done(connect: Connect) -> None:
    done: list[UUID] = []

    async def note_down(given: Job) -> None:
        done.append(given.note)

    async with connect() as services:
        pending = f"{services.settings.redis_namespace}:{{jobs}}:pending"
        await services.redis.lpush(pending, "not json")  # type: ignore[misc]
        await services.queue.add(good := job())
        await work(services.queue, {"test": note_down}, until=lambda: bool(done))
        assert done == [good.note]
        assert await services.queue.depth() == {"pending": 0, "dead": 1}


async def test_stopping_finishes_the_job_in_hand_and_leaves_the_rest(connect: Connect) -> None:
    begun, finish, done = asyncio.Event(), asyncio.Event(), []

    async def slow(given: Job) -> None:
        begun.set()
        await finish.wait()
        done.append(given.note)

    async with connect() as services:
        first, second = job(), job()
        await services.queue.add(first)
        await services.queue.add(second)
        worker = Worker(services.queue, {"test": slow}, overdue=nothing_overdue, report=lambda error: None)
        running = asyncio.create_task(worker.run())
        await asyncio.wait_for(begun.wait(), 5)
        worker.stop()
        finish.set()
        await asyncio.wait_for(running, 5)
        assert done == [first.note]
        assert await services.queue.depth() == {"pending": 1, "dead": 0}


async def test_notes_that_an_older_model_embedded_are_embedded_again(
    connect: Connect, empty_notes: None, database_url: str
) -> None:
    async with connect() as services:
        await services.notes.add("The deployment crashed")
        with psycopg.connect(database_url) as connection:
            connection.execute("UPDATE note_embeddings SET model = 'older'")
        assert await services.notes.search("release failure") == []
        worker = services.worker(report=lambda error: pytest.fail(str(error)))
        running = asyncio.create_task(worker.run())
        await eventually(lambda: services.notes.search("release failure"))
        worker.stop()
        await running
        with psycopg.connect(database_url) as connection:
            models = connection.execute("SELECT model FROM note_embeddings").fetchall()
        assert sorted(model for (model,) in models) == sorted([MODEL, "older"])
        assert await services.notes.without_vector(limit=1) == []
