"""Releases, tags and locks on GitHub under the suite's one policy of retries; assets go up by PyGithub.

Sources: docs.github.com/rest/releases, /rest/git/refs, /rest/git/tags, /rest/checks/runs, /rest/commits/statuses, /rest/actions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

from pipelines.errors import CredentialsError, ProviderError
from pipelines.faults import once
from release.publishing.forge import Asset, Check, File, Lock
from release.publishing.forge import ForgeRelease as Entry

if TYPE_CHECKING:
    from pipelines.github import GitHub

T = TypeVar("T")
LOCKS = "shipmate/release"
"""Below refs/: where locks live. Rules for branches and tags do not reach there."""
LARGEST_FILE = 100_000_000
"""Bytes; GitHub gives no larger file of a commit. Source: docs.github.com/rest/repos/contents"""
_PAGES = 100

DELIVERY = "shipmate"
"""The task of deployments that record a delivery (pipelines/ledger.py)."""
ACTIONS = "github-actions"
"""The app behind the tokens of workflows."""


class GitHubForge:
    """One repository on GitHub."""

    def __init__(self, github: GitHub) -> None:
        self.github = github
        self._at = f"/repos/{github.name}"

    # --- tags and locks

    def tag(self, name: str) -> str | None:
        found = self._find(f"{self._at}/git/ref/tags/{quote(name)}")
        return self._peeled(found["object"]) if found else None

    def tag_object(self, name: str) -> str | None:
        found = self._find(f"{self._at}/git/ref/tags/{quote(name)}")
        return str(found["object"]["sha"]) if found else None

    def tags(self, prefix: str) -> dict[str, str | None]:
        # This list has no pages: GitHub gives all of it at once.
        listed = self._get(f"{self._at}/git/matching-refs/tags/{quote(prefix)}")
        targets = {raw["ref"].removeprefix("refs/tags/"): raw["object"] for raw in listed}
        return {name: target["sha"] if target["type"] == "commit" else None for name, target in targets.items()}

    def create_tag(self, name: str, commit: str) -> bool:
        return self._create_ref(f"refs/tags/{name}", commit, lambda: self.tag(name) == commit or None)

    def locks(self, tag: str) -> list[Lock]:
        listed = self._get(f"{self._at}/git/matching-refs/{LOCKS}/{quote(tag)}/")
        found = []
        for raw in listed:
            number = raw["ref"].rsplit("/", 1)[-1]
            if number.isdigit():
                found.append(Lock(generation=int(number), owner=self._owner(raw["object"])))
        return sorted(found, key=lambda lock: lock.generation)

    def take_lock(self, tag: str, generation: int, commit: str, owner: Mapping[str, str]) -> bool:
        body = {"tag": f"{tag}-{generation}", "message": json.dumps(dict(owner)), "object": commit, "type": "commit"}
        note = self._write("POST", f"{self._at}/git/tags", body, lambda: None)

        def mine() -> bool | None:
            ref = self._find(f"{self._at}/git/ref/{LOCKS}/{quote(tag)}/{generation}")
            return True if ref and ref["object"]["sha"] == note["sha"] else None

        return self._create_ref(f"refs/{LOCKS}/{tag}/{generation}", note["sha"], mine)

    def drop_lock(self, tag: str, generation: int) -> None:
        path = f"{self._at}/git/refs/{LOCKS}/{quote(tag)}/{generation}"
        looked = f"{self._at}/git/ref/{LOCKS}/{quote(tag)}/{generation}"
        self._delete(path, lambda: self._find(looked) is None or None)

    # --- releases

    def published(self, tag: str) -> Entry | None:
        found = self._find(f"{self._at}/releases/tags/{quote(tag)}")
        return _entry(found) if found else None

    def drafts(self, tag: str, since: str) -> list[Entry]:
        found = []
        for page in self._listed(f"{self._at}/releases?per_page=100"):
            found += [_entry(raw) for raw in page if raw["draft"] and raw["tag_name"] == tag]
            if page and min(raw["created_at"] for raw in page) < since:
                break
        return sorted(found, key=lambda entry: entry.id)

    def was_live(self, environment: str, tag: str, commit: str) -> bool:
        query = urlencode({"environment": environment, "sha": commit, "task": DELIVERY, "per_page": 100})
        for raw in self._get(f"{self._at}/deployments?{query}"):
            payload = raw.get("payload") or {}
            answer = json.loads(payload) if isinstance(payload, str) else payload
            if answer.get("release") == tag:
                statuses = self._get(f"{self._at}/deployments/{raw['id']}/statuses?per_page=100")
                if any(status["state"] == "success" for status in statuses):
                    return True
        return False

    def entry(self, number: int) -> Entry | None:
        found = self._find(f"{self._at}/releases/{number}")
        return _entry(found) if found else None

    def create_draft(self, *, tag: str, commit: str, name: str, body: str, prerelease: bool) -> Entry:
        fields = {
            "tag_name": tag,
            "target_commitish": commit,
            "name": name,
            "body": body,
            "draft": True,
            "prerelease": prerelease,
        }

        def find() -> Any:
            same = (raw for page in self._listed(f"{self._at}/releases?per_page=100", pages=1) for raw in page)
            return next((raw for raw in same if raw["draft"] and raw["tag_name"] == tag and raw["body"] == body), None)

        return _entry(self._write("POST", f"{self._at}/releases", fields, find))

    def edit(self, number: int, changes: Mapping[str, object]) -> Entry:
        path = f"{self._at}/releases/{number}"
        # The same PATCH twice is the same as once: a lost answer is simply asked again, which `find` lets happen.
        return _entry(self._write("PATCH", path, dict(changes), lambda: None))

    def delete_draft(self, number: int) -> None:
        self._delete(f"{self._at}/releases/{number}", lambda: self.entry(number) is None or None)

    def releases(self) -> list[Entry]:
        pages = self._listed(f"{self._at}/releases?per_page=100")
        return [_entry(raw) for page in pages for raw in page if not raw["draft"]]

    def latest(self) -> Entry | None:
        found = self._find(f"{self._at}/releases/latest")
        return _entry(found) if found else None

    # --- assets

    def upload(self, entry: Entry, file: File, name: str) -> None:
        from github.GitRelease import GitRelease

        release = self.github.known(GitRelease, {"upload_url": entry.upload_url})

        def send() -> bool:
            with file.path.open("rb") as content:
                release.upload_asset_from_memory(content, file.size, name, file.content_type)
            return True

        def arrived() -> bool | None:
            now = self.entry(entry.id)
            there = now.asset(name) if now else None
            # Something half there under that name must be dealt with first: let the caller look again.
            return True if there is not None else None

        once(lambda: self.github.call(f"upload {name}", send, writes=True), arrived, policy=self.github.policy)

    def rename_asset(self, asset: Asset, name: str) -> None:
        self._write("PATCH", f"{self._at}/releases/assets/{asset.id}", {"name": name}, lambda: None)

    def delete_asset(self, asset: Asset) -> None:
        path = f"{self._at}/releases/assets/{asset.id}"
        self._delete(path, lambda: self._find(path) is None or None)

    def download(self, asset: Asset) -> bytes:
        path = f"{self._at}/releases/assets/{asset.id}"
        content = self.github.find_file(path, most=asset.size, accept="application/octet-stream")
        if content is None:
            raise ProviderError(
                f"{asset.name} is gone", where=path, next_step="run this again: it reads the state anew"
            )
        return content

    # --- the commit

    def file(self, commit: str, path: str) -> bytes | None:
        at = f"{self._at}/contents/{quote(path)}?ref={commit}"
        return self.github.find_file(at, most=LARGEST_FILE, accept="application/vnd.github.raw+json")

    def contains(self, branch: str, commit: str) -> bool | None:
        found = self._find(f"{self._at}/compare/{quote(branch, safe='')}...{commit}?per_page=1")
        return found["status"] in ("identical", "behind") if found else None

    def checks(self, commit: str, wanted: Sequence[str], branches: Sequence[str]) -> list[Check]:
        """Jobs of GitHub Actions' runs for a push of exactly this commit to one of the branches, and checks that other apps report.

        A check run of GitHub Actions' own app or a commit status is not looked at: any workflow of any branch can write one for any
        commit. A job is what its run made it. Sources: docs.github.com/rest/actions/workflow-runs, …/workflow-jobs, …/checks/runs
        """
        if not self._knows(commit):
            return []
        found: dict[str, Check] = {}
        pages = self._listed(f"{self._at}/actions/runs?event=push&head_sha={commit}&per_page=100", key="workflow_runs")
        runs = [
            run for page in pages for run in page if any(fnmatchcase(run["head_branch"] or "", one) for one in branches)
        ]
        for run in sorted(runs, key=lambda run: int(run["id"]), reverse=True):
            if all(name in found for name in wanted):
                break
            for page in self._listed(
                f"{self._at}/actions/runs/{run['id']}/jobs?filter=latest&per_page=100", key="jobs"
            ):
                for job in page:
                    check = Check(name=job["name"], conclusion=job["conclusion"] or "", url=job.get("html_url") or "")
                    found.setdefault(job["name"], check)
        for name in wanted:
            other = None if name in found else self._of_other_app(commit, name)
            if other is not None:
                found[name] = other
        return list(found.values())

    def _of_other_app(self, commit: str, name: str) -> Check | None:
        """The newest check run of a name that an app of its own reports."""
        query = f"check_name={quote(name)}&filter=latest&per_page=100"
        listed = self._get(f"{self._at}/commits/{commit}/check-runs?{query}")["check_runs"]
        others = [raw for raw in listed if (raw.get("app") or {}).get("slug") != ACTIONS]
        newest = max(others, key=lambda raw: int(raw["id"]), default=None)
        if newest is None:
            return None
        return Check(name=name, conclusion=newest["conclusion"] or "", url=newest.get("html_url") or "")

    def run_is_over(self, run: str) -> bool | None:
        try:
            found = self._find(f"{self._at}/actions/runs/{run}")
        except CredentialsError:
            return None  # the token may not read runs: the lock's age decides
        return found["status"] == "completed" if found else None

    def dispatched(self, workflow: str, tag: str) -> bool:
        query = f"event=workflow_dispatch&head_sha={self.tag(tag)}&per_page=100"
        runs = self._get(f"{self._at}/actions/workflows/{quote(workflow)}/runs?{query}")["workflow_runs"]
        return any(run["head_branch"] in (tag, f"refs/tags/{tag}") for run in runs)

    def dispatch(self, workflow: str, tag: str, inputs: Mapping[str, str]) -> None:
        path = f"{self._at}/actions/workflows/{quote(workflow)}/dispatches"
        self._write("POST", path, {"ref": tag, "inputs": dict(inputs)}, lambda: self.dispatched(workflow, tag) or None)

    def attested(self, digest: str) -> bool | None:
        found = self._find(f"{self._at}/attestations/{digest}")
        return bool(found["attestations"]) if found else None

    # --- calls

    def _get(self, path: str) -> Any:
        return self.github.json("GET", path)

    def _find(self, path: str) -> Any:
        """None on 404."""
        return self.github.find_json(path)

    def _listed(self, path: str, *, pages: int = _PAGES, key: str = "") -> Iterator[list[dict[str, Any]]]:
        """Pages of a list, until one is not full."""
        for page in range(1, pages + 1):
            raw = self._get(f"{path}&page={page}")
            listed: list[dict[str, Any]] = raw[key] if key else raw
            yield listed
            if len(listed) < 100:
                return

    def _write(self, method: str, path: str, body: Any, find: Callable[[], T | None]) -> Any:
        return once(lambda: self.github.json(method, path, body), find, policy=self.github.policy)

    def _delete(self, path: str, gone: Callable[[], bool | None]) -> None:
        """Deleting what is gone already is done."""
        from pipelines.github import GitHubRefused

        try:
            self._write("DELETE", path, None, gone)
        except GitHubRefused as error:
            if error.status not in (404, 422) or not gone():
                raise

    def _create_ref(self, ref: str, target: str, mine: Callable[[], bool | None]) -> bool:
        """Creating a ref is the one operation that GitHub does for exactly one of many who try. False when it exists."""
        from pipelines.github import GitHubRefused

        try:
            self._write("POST", f"{self._at}/git/refs", {"ref": ref, "sha": target}, mine)
        except GitHubRefused as error:
            if error.status == 422 and "already exists" in error.what:
                return bool(mine())
            raise
        return True

    def _knows(self, commit: str) -> bool:
        """Whether a commit was ever pushed here."""
        return self._find(f"{self._at}/git/commits/{commit}") is not None

    def _peeled(self, target: Mapping[str, Any]) -> str | None:
        """The commit behind a ref, through annotated tags (of tags)."""
        for _ in range(8):
            if target["type"] == "commit":
                return str(target["sha"])
            if target["type"] != "tag":
                return None
            target = self._get(f"{self._at}/git/tags/{target['sha']}")["object"]
        raise ProviderError("a tag of tags of tags without end", where=f"GitHub {self.github.name}")

    def _owner(self, target: Mapping[str, Any]) -> dict[str, str]:
        if target["type"] != "tag":
            return {}
        note = self._find(f"{self._at}/git/tags/{target['sha']}")
        try:
            document = json.loads(note["message"]) if note else {}
        except ValueError:
            return {}
        return {str(key): str(value) for key, value in document.items()} if isinstance(document, dict) else {}


def _entry(raw: Mapping[str, Any]) -> Entry:
    return Entry(
        id=raw["id"],
        tag=raw["tag_name"],
        name=raw["name"] or "",
        body=raw["body"] or "",
        draft=raw["draft"],
        prerelease=raw["prerelease"],
        immutable=bool(raw.get("immutable")),
        url=raw["html_url"],
        upload_url=raw["upload_url"],
        published_at=raw["published_at"] or "",
        assets=tuple(
            Asset(
                id=asset["id"],
                name=asset["name"],
                size=asset["size"],
                digest=asset.get("digest") or "",
                whole=asset["state"] == "uploaded",
            )
            for asset in raw["assets"]
        ),
    )
