"""HTTP of releases, their commits and deploys (https://docs.sentry.io/api/releases/)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.emulators.sentry.access import Access, Refused
from rehearsal.emulators.sentry.state import Organization, Release


class ReleasesApi:
    """`/api/0/organizations/{organization}/releases/…` and the list of repositories."""

    def __init__(self, organization: Organization, access: Access) -> None:
        self._organization = organization
        self._access = access

    async def releases(self, request: Request) -> Response:
        """GET, POST …/releases/; GET of a project's"""
        self._access.require(request)
        if request.method == "GET":
            query, project = request.query_params.get("query", ""), request.path_params.get("project")
            found = [r for r in self._organization.releases.values() if query in r.version]
            return JSONResponse([self._json(r) for r in reversed(found) if project in (None, *r.projects)])
        body = await self._access.json(request)
        version, projects = body.get("version"), body.get("projects")
        if not isinstance(version, str) or not version.strip() or "\n" in version:
            raise Refused(400, {"version": ["This field is required."]})
        if not isinstance(projects, list) or not projects:
            raise Refused(400, {"projects": ["This field is required."]})
        if not set(projects) <= self._organization.projects.keys():
            raise Refused(400, {"projects": ["Invalid project slugs"]})
        held = self._organization.releases.get(version)
        release = held or Release(version=version, projects=[], created=self._organization.now())
        self._change(release, body)
        release.projects = sorted({*release.projects, *projects})
        self._organization.releases[version] = release
        # 208: the release was there already, and is now as asked for.
        return JSONResponse(self._json(release), 208 if held else 201)

    async def release(self, request: Request) -> Response:
        """GET, PUT, DELETE …/releases/{version}/"""
        release = self._asked(request)
        if request.method == "DELETE":
            del self._organization.releases[release.version]
            return Response(status_code=204)
        if request.method == "PUT":
            self._change(release, await self._access.json(request))
        return JSONResponse(self._json(release))

    async def commits(self, request: Request) -> Response:
        """GET …/releases/{version}/commits/"""
        return JSONResponse(self._asked(request).commits)

    async def deploys(self, request: Request) -> Response:
        """GET, POST …/releases/{version}/deploys/"""
        release = self._asked(request)
        if request.method == "GET":
            return JSONResponse(release.deploys[::-1])
        body = await self._access.json(request)
        if not body.get("environment"):
            raise Refused(400, {"environment": ["This field is required."]})
        deploy = {
            "id": str(sum(len(r.deploys) for r in self._organization.releases.values()) + 1),
            "environment": body["environment"],
            "name": body.get("name"),
            "url": body.get("url"),
            "dateStarted": body.get("dateStarted"),
            "dateFinished": body.get("dateFinished") or self._organization.now(),
        }
        release.deploys.append(deploy)
        return JSONResponse(deploy, 201)

    async def repositories(self, request: Request) -> Response:
        """GET …/repos/: those whose commits a release can name"""
        self._access.require(request)
        provider = {"id": "integrations:github", "name": "GitHub"}
        created = self._organization.now()
        return JSONResponse(
            [
                {"id": str(number), "name": name, "provider": provider, "status": "active", "dateCreated": created}
                | {"url": f"https://github.com/{name}"}
                for number, name in enumerate(self._organization.repositories, 1)
            ]
        )

    async def previous(self, request: Request) -> Response:
        """GET …/releases/{version}/previous-with-commits/: the release before, of those that name commits; {} if none"""
        asked = self._asked(request)
        earlier = [r for r in self._organization.releases.values() if r is not asked and (r.commits or r.refs)]
        earlier = [r for r in earlier if r.created <= asked.created]
        return JSONResponse(self._json(earlier[-1]) if earlier else {})

    def _asked(self, request: Request) -> Release:
        self._access.require(request)
        release = self._organization.releases.get(request.path_params["version"])
        if release is None:
            raise Refused(404, {"detail": "The requested resource does not exist"})
        return release

    def _change(self, release: Release, body: dict[str, Any]) -> None:
        refs = body.get("refs") or []
        unknown = sorted({str(ref.get("repository")) for ref in refs} - set(self._organization.repositories))
        if unknown:
            raise Refused(400, {"refs": [f"Invalid repository names: {', '.join(unknown)}"]})
        if refs:
            release.refs = refs
        if body.get("commits"):
            release.commits = body["commits"]
        release.released = body.get("dateReleased") or release.released
        release.ref = body.get("ref") or release.ref
        release.url = body.get("url") or release.url

    def _json(self, release: Release) -> dict[str, Any]:
        last = release.deploys[-1] if release.deploys else None
        projects = [self._organization.projects[slug] for slug in release.projects]
        return {
            "version": release.version,
            "shortVersion": release.version,
            "ref": release.ref,
            "url": release.url,
            "dateCreated": release.created,
            "dateReleased": release.released,
            "commitCount": len(release.commits),
            "deployCount": len(release.deploys),
            "lastDeploy": last,
            "lastCommit": release.commits[0] if release.commits else None,
            "newGroups": len({e.title for e in self._organization.events if e.release == release.version}),
            "projects": [{"id": int(p.id), "slug": p.slug, "name": p.slug} for p in projects],
            "refs": release.refs,
        }
