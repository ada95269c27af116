"""Where redirects to GitHub's storage lead: no credentials, addresses nobody can guess."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from rehearsal.github.instance import GitHubInstance
from rehearsal.github.releases.state import Asset
from rehearsal.github.runs.service import archives
from rehearsal.github.runs.service.runs import jobs_of_attempt
from rehearsal.runner.model import Run

_GONE = "The specified resource does not exist.\n"


def routes(instance: GitHubInstance) -> list[Route]:
    """Logs, artifacts and assets by key, and assets as a browser gets them."""
    downloads = _Downloads(instance)
    return [
        Route("/_downloads/{key}", downloads.by_key, methods=["GET"]),
        Route("/{owner}/{repo}/releases/download/{rest:path}", downloads.by_tag, methods=["GET"]),
    ]


class _Downloads:
    def __init__(self, instance: GitHubInstance) -> None:
        self._instance = instance

    async def by_key(self, request: Request) -> Response:
        kind, number = self._instance.downloads.get(request.path_params["key"], ("", ""))
        answer = {
            "job-log": self._job_log,
            "run-logs": self._run_logs,
            "artifact": self._artifact,
            "asset": self._asset,
            "source": self._source,
        }.get(kind)
        return PlainTextResponse(_GONE, 404) if answer is None else await answer(number)

    async def by_tag(self, request: Request) -> Response:
        """/{owner}/{repo}/releases/download/{tag}/{name}, of public repositories."""
        values = request.path_params
        repository = self._instance.database.repository(f"{values['owner']}/{values['repo']}")
        tag, _, name = values["rest"].rpartition("/")
        release = repository.release_tagged(tag) if repository is not None and not repository.private else None
        asset = release.asset_named(unquote(name)) if release is not None else None
        if asset is None or asset.state != "uploaded":
            return PlainTextResponse("Not Found", 404)
        asset.download_count += 1
        return self._file(asset)

    async def _job_log(self, number: str) -> Response:
        job = next((job for run in self._runs() for job in run.jobs if str(job.id) == number), None)
        return PlainTextResponse(_GONE, 404) if job is None else PlainTextResponse(job.log_text())

    async def _run_logs(self, number: str) -> Response:
        wanted, _, attempt = number.partition("/")
        run = next((run for run in self._runs() if str(run.id) == wanted), None)
        jobs = jobs_of_attempt(run, int(attempt)) if run is not None else []
        return Response(await asyncio.to_thread(archives.run_logs, jobs), media_type="application/zip")

    async def _artifact(self, number: str) -> Response:
        found = archives.find_artifact(self._runs(), int(number))
        if found is None:
            return PlainTextResponse(_GONE, 404)
        return Response(await asyncio.to_thread(archives.artifact_zip, found[1]), media_type="application/zip")

    async def _asset(self, number: str) -> Response:
        repositories = self._instance.database.repositories.values()
        found = (
            one for repository in repositories for release in repository.releases.values() for one in release.assets
        )
        asset = next((one for one in found if str(one.id) == number), None)
        return PlainTextResponse(_GONE, 404) if asset is None else self._file(asset)

    async def _source(self, name: str) -> Response:
        """`owner/repository/SHA.tar.gz` or `….zip`."""
        full_name, _, file = name.rpartition("/")
        sha, _, form = file.partition(".")
        repository = self._instance.database.repository(full_name)
        if repository is None:
            return PlainTextResponse(_GONE, 404)
        prefix = f"{full_name.replace('/', '-')}-{sha[:7]}/"
        data = await self._instance.git(repository).git("archive", f"--format={form}", f"--prefix={prefix}", sha)
        media = "application/zip" if form == "zip" else "application/x-gzip"
        return Response(data, media_type=media)

    def _file(self, asset: Asset) -> Response:
        path = self._instance.asset_path(asset.id)
        return FileResponse(path, media_type="application/octet-stream", filename=asset.name)

    def _runs(self) -> list[Run]:
        return [] if self._instance.runner is None else list(self._instance.runner.runs.values())
