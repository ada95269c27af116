"""git over smart HTTP: who may fetch and push, and what follows a push."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rehearsal.github.accounts.rules import check
from rehearsal.github.git import smart_http
from rehearsal.github.git.bare import BareRepository
from rehearsal.github.git.receiving import PreReceiveHook, PushDecision, RefChange
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import Problem
from rehearsal.github.repositories.rules import check_push
from rehearsal.github.repositories.service.pushes import refs_moved
from rehearsal.github.repositories.state import Repository
from rehearsal.github.rest.authentication import identify

_PUSH = "git-receive-pack"


class GitRoutes:
    """Serves /{owner}/{repository}[.git] to git."""

    def __init__(self, instance: GitHubInstance) -> None:
        self._instance = instance

    def routes(self) -> list[Route]:
        base = "/{owner}/{repo}"
        return [
            Route(f"{base}/info/refs", self.advertise, methods=["GET"]),
            Route(f"{base}/git-upload-pack", self.fetch, methods=["POST"]),
            Route(f"{base}/git-receive-pack", self.push, methods=["POST"]),
        ]

    async def advertise(self, request: Request) -> Response:
        asked = request.query_params.get("service", "git-upload-pack")
        try:
            repository, identity = self._enter(request, pushes=asked == _PUSH)
        except Problem as problem:
            return _refusal(problem)
        git = self._instance.git(repository)
        return await smart_http.serve(request, git, "/info/refs", identity.login)

    async def fetch(self, request: Request) -> Response:
        try:
            repository, identity = self._enter(request, pushes=False)
        except Problem as problem:
            return _refusal(problem)
        git = self._instance.git(repository)
        return await smart_http.serve(request, git, "/git-upload-pack", identity.login)

    async def push(self, request: Request) -> Response:
        try:
            repository, identity = self._enter(request, pushes=True)
        except Problem as problem:
            return _refusal(problem)
        git = self._instance.git(repository)
        try:
            response, moved = await self._receive(request, repository, git, identity)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        if moved:
            await refs_moved(self._instance, repository, moved, identity)
        return response

    async def _receive(
        self, request: Request, repository: Repository, git: BareRepository, identity: Identity
    ) -> tuple[Response, list[RefChange]]:
        """No other change of refs happens between the decision and git's own update."""

        async def decide(changes: list[RefChange], quarantine: dict[str, str]) -> PushDecision:
            view = git.within(quarantine)
            try:
                return await check_push(repository, view, identity, changes)
            finally:
                await view.close()

        # The body first, then the lock: a slow client must not keep the others waiting.
        async with smart_http.spooled(request) as body, git.writing:
            hook = PreReceiveHook(decide)
            response = await smart_http.receive(request, git, "/git-receive-pack", identity.login, hook, body)
            before = await git.reload()
        moved = [one for one in hook.changes if before.get(one.ref) != git.refs.get(one.ref)]
        return response, moved

    def _enter(self, request: Request, *, pushes: bool) -> tuple[Repository, Identity]:
        """Raises Problem: 401 asks git for credentials, 403 and 404 are final."""
        identity = identify(self._instance, request.headers.get("authorization"))
        name = f"{request.path_params['owner']}/{request.path_params['repo'].removesuffix('.git')}"
        try:
            repository = self._instance.repository(name)
            check(identity, repository, ("contents:write" if pushes else "contents:read",))
        except Problem as problem:
            if identity.user is None:
                raise Problem(401, "Authentication required: use a token as the password.") from problem
            if problem.status == 403:
                raise Problem(403, f"Permission to {name}.git denied to {identity.login}.") from problem
            raise Problem(404, "Repository not found.") from problem
        return repository, identity


def _refusal(problem: Problem) -> Response:
    """git shows text/plain bodies to the user, each line behind `remote:`."""
    headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if problem.status == 401 else {}
    return PlainTextResponse(f"{problem.message}\n", problem.status, headers)
