"""`git http-backend` as a CGI program behind ASGI."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import IO

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from rehearsal import processes
from rehearsal.github.git.bare import ENVIRONMENT, BareRepository
from rehearsal.github.git.receiving import PreReceiveHook

_CHUNK = 64 * 1024
_KEPT_IN_MEMORY = 8 * 1024 * 1024


async def serve(request: Request, git: BareRepository, path_info: str, user: str) -> Response:
    """A clone, a fetch or the first request of a push, streamed as git gives it. `path_info` begins with a slash."""
    process = await _start(_cgi(request, git, path_info, user))
    feeding = asyncio.create_task(_feed(request.stream(), process))
    try:
        status, headers = await _headers(process)
    except BaseException:  # the server is being stopped: nobody will read what git says
        feeding.cancel()
        await processes.ended(process)
        raise
    return StreamingResponse(_body(process, feeding), status_code=status, headers=headers)


async def receive(
    request: Request, git: BareRepository, path_info: str, user: str, hook: PreReceiveHook, body: IO[bytes]
) -> Response:
    """A push whose body has all come: returns when git has moved the refs or refused."""
    env = {**_cgi(request, git, path_info, user), **hook.environment()}
    try:
        process = await _start(env, hook.descriptors)
    finally:
        hook.hand_over()
    feeding = asyncio.create_task(_feed(_chunks(body), process))
    answering = asyncio.create_task(hook.answer())
    status, headers = await _headers(process)
    answer = b"".join([chunk async for chunk in _body(process, feeding)])
    await answering
    return Response(answer, status_code=status, headers=headers)


def _cgi(request: Request, git: BareRepository, path_info: str, user: str) -> dict[str, str]:
    env = {
        **ENVIRONMENT,
        "GIT_PROJECT_ROOT": str(git.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path_info,
        "QUERY_STRING": request.url.query,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "REMOTE_USER": user,
        "REMOTE_ADDR": "127.0.0.1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.hooksPath",
        "GIT_CONFIG_VALUE_0": str(git.hooks),
    }
    for header, name in (
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
        ("content-length", "CONTENT_LENGTH"),
    ):
        if header in request.headers:
            env[name] = request.headers[header]
    return env


async def _start(env: Mapping[str, str], descriptors: Sequence[int] = ()) -> asyncio.subprocess.Process:
    # It ends by itself when its pipes close, so it cannot outlive this process.
    return await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        env=dict(env),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=tuple(descriptors),
        start_new_session=True,
    )


@contextlib.asynccontextmanager
async def spooled(request: Request) -> AsyncIterator[IO[bytes]]:
    """The whole body of a request, on disk when it is large. Raises ClientDisconnect when it does not all come."""
    with tempfile.SpooledTemporaryFile(max_size=_KEPT_IN_MEMORY) as body:
        async for chunk in request.stream():
            body.write(chunk)
        body.seek(0)
        yield body


async def _chunks(body: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := body.read(_CHUNK):
        yield chunk


async def _feed(stream: AsyncIterator[bytes], process: asyncio.subprocess.Process) -> None:
    if process.stdin is None:
        raise RuntimeError("git http-backend was started without pipes")
    # Git may stop reading early, and so may the client stop sending: both end with the process's own answer.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, ClientDisconnect):
        async for chunk in stream:
            process.stdin.write(chunk)
            await process.stdin.drain()
    process.stdin.close()


async def _headers(process: asyncio.subprocess.Process) -> tuple[int, dict[str, str]]:
    if process.stdout is None:
        raise RuntimeError("git http-backend was started without pipes")
    status = 200
    headers: dict[str, str] = {}
    while line := (await process.stdout.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name.lower()] = value.strip()
    return status, headers


async def _body(process: asyncio.subprocess.Process, feeding: asyncio.Task[None]) -> AsyncIterator[bytes]:
    if process.stdout is None:
        raise RuntimeError("git http-backend was started without pipes")
    try:
        while chunk := await process.stdout.read(_CHUNK):
            yield chunk
    finally:
        feeding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feeding
        if process.returncode is None and not process.stdout.at_eof():
            await processes.ended(process)  # the client hung up in the middle
        await process.wait()
