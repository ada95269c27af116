"""A client of OCI registries: images and packed files in and out, always by digest.

Source: github.com/opencontainers/distribution-spec/blob/main/spec.md. Every blob is looked for before it is sent, and sent in a
session of its own, so a push that was killed or cut is finished by running it again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin

from pipelines import faults
from pipelines.errors import InputError, ProviderError, ProviderUnavailable
from pipelines.faults import Fault, Faulted, Meaning
from pipelines.http import Http, refused
from pipelines.images.archive import LARGEST
from pipelines.images.model import INDEX, MANIFEST, Blob, BuiltImage, Reference, sha256
from pipelines.images.pull_limits import naming_limits
from pipelines.images.registry_auth import Credentials, RegistryAuth, docker_logins, is_loopback, origin
from pipelines.images.store import Store

if TYPE_CHECKING:
    import requests

T = TypeVar("T")

_DOCKER = "application/vnd.docker.distribution.manifest"
_ACCEPT = f"{MANIFEST}, {INDEX}, {_DOCKER}.v2+json, {_DOCKER}.list.v2+json"
_PULL, _PUSH = "pull", "pull,push"


class Registry:
    """All registries; which one is meant stands in each reference.

    Every method raises CredentialsError, ProviderError (the registry's own words) or ProviderUnavailable.
    """

    def __init__(self, http: Http, *, credentials: Credentials = docker_logins, store: Store | None = None) -> None:
        self.http = http
        self.store = store or Store()
        self._auth = RegistryAuth(http, credentials)

    def resolve(self, reference: str) -> str:
        """The digest a reference means now. Raises InputError when there is nothing."""
        digest = self._digest(Reference.parse(reference))
        if digest is None:
            raise InputError(
                f"there is no {reference}",
                where="registry",
                why="it was never pushed, or was removed",
                next_step="run the workflow that builds it, or name another",
            )
        return digest

    def exists(self, reference: str) -> bool:
        """Whether a manifest is there under a tag or digest."""
        return self._digest(Reference.parse(reference)) is not None

    def holds(self, repository: str, digest: str) -> bool:
        """Whether a repository has a blob."""
        return self._call("HEAD", Reference.parse(repository), f"blobs/{digest}").status_code == 200

    def fetch(self, at: Reference, kind: str, digest: str) -> bytes:
        """A small document (`kind`: manifests or blobs) by digest. Raises InputError when it is not there."""
        with naming_limits(at):
            answer = self._call(
                "GET", at, f"{kind}/{digest}", headers={"Accept": _ACCEPT} if kind == "manifests" else {}
            )
        if answer.status_code == 404:
            raise InputError(
                f"there is no {at.repository}@{digest}",
                where=at.host,
                why="it was never pushed, or was removed",
                next_step="check the reference in shipmate.yml, or build it again",
            )
        return _checked(self._ok(answer, 200).content, digest, at)

    def layer(self, reference: str) -> bytes:
        """The one layer of packed files (files.py), checked against the digests. Raises InputError."""
        at = Reference.parse(reference)
        digest = at.digest or self.resolve(reference)
        manifest = self.fetch(at, "manifests", digest)
        layers = [Blob.described(raw) for raw in json.loads(manifest)["layers"]]
        if len(layers) != 1:
            raise InputError(
                f"{reference} holds {len(layers)} layers",
                why="packed files have one",
                where=at.host,
                next_step="pass the reference of a site's build",
            )
        if layers[0].size > LARGEST:
            raise InputError(
                f"{reference} has {layers[0].size} bytes, and a site has {LARGEST} at the most",
                where=at.host,
                next_step="leave out of the build what is no part of the site",
            )
        return self.fetch(at, "blobs", layers[0].digest)

    def push(self, image: BuiltImage, repository: str, tags: Sequence[str] = ()) -> str:
        """Push what is not there yet; `host/path@sha256:…`. Safe to repeat."""
        target = Reference.parse(repository)
        base = Reference.parse(image.base) if image.base else None
        for blob in image.blobs:
            self._send_once(target, blob, base)
        self._put_manifest(target, image.manifest, image.digest, [image.digest, *tags])
        return f"{target.repository}@{image.digest}"

    def tag(self, reference: str, tags: Sequence[str]) -> str:
        """Give more tags to what a reference means; `host/path@sha256:…`."""
        at = Reference.parse(reference)
        digest = at.digest or self.resolve(reference)
        content = self.fetch(at, "manifests", digest)
        self._put_manifest(at, content, digest, tags)
        return f"{at.repository}@{digest}"

    def _digest(self, at: Reference) -> str | None:
        answer = self._call("HEAD", at, f"manifests/{at.target}", headers={"Accept": _ACCEPT})
        if answer.status_code == 404:
            return None
        digest = self._ok(answer, 200).headers.get("Docker-Content-Digest")
        return digest or sha256(
            self._ok(self._call("GET", at, f"manifests/{at.target}", headers={"Accept": _ACCEPT}), 200).content
        )

    def _put_manifest(self, target: Reference, content: bytes, digest: str, names: Sequence[str]) -> None:
        media_type = json.loads(content).get("mediaType", MANIFEST)
        for name in dict.fromkeys(names):
            answer = self._call(
                "PUT", target, f"manifests/{name}", actions=_PUSH, data=content, headers={"Content-Type": media_type}
            )
            stated = self._ok(answer, 201).headers.get("Docker-Content-Digest", digest)
            if stated != digest:
                raise _damaged(target, digest, f"it says {stated}")

    def _send_once(self, target: Reference, blob: Blob, base: Reference | None) -> None:
        """Send a blob unless it is there. A fresh session each try: what a cut one holds is unknown."""

        def attempt() -> None:
            if self._call("HEAD", target, f"blobs/{blob.digest}", retry=False).status_code == 200:
                return
            if blob.content is None and base is not None and self._mounted(target, blob, base):
                return
            whole = blob if blob.content is not None else self._from_base(blob, base)
            self._upload(target, whole)

        where = f"push {target.repository}: {blob.digest[:19]} ({blob.size} bytes)"
        faults.retry(lambda: _again(attempt), where=where, policy=self.http.policy)

    def _mounted(self, target: Reference, blob: Blob, base: Reference) -> bool:
        """Have the registry link a blob of another of its repositories (spec: "Mounting a blob from another repository")."""
        if target.host != base.host:
            return False
        params = {"mount": blob.digest, "from": base.path}
        answer = self._call("POST", target, "blobs/uploads/", actions=_PUSH, params=params, retry=False)
        return answer.status_code == 201

    def _upload(self, target: Reference, blob: Blob) -> None:
        started = self._ok(self._call("POST", target, "blobs/uploads/", actions=_PUSH, retry=False), 202)
        session = urljoin(_url(target, "blobs/uploads/"), started.headers["Location"])
        session += ("&" if "?" in session else "?") + f"digest={blob.digest}"
        answer = self._call(
            "PUT",
            target,
            session,
            actions=_PUSH,
            data=blob,
            headers={"Content-Type": "application/octet-stream"},
            retry=False,
        )
        if answer.status_code == 400 and any(code in answer.text for code in ("DIGEST_INVALID", "SIZE_INVALID")):
            raise _damaged(target, blob.digest, answer.text.strip()[:300])
        digest = self._ok(answer, 201).headers.get("Docker-Content-Digest", blob.digest)
        if digest != blob.digest:
            raise _damaged(target, blob.digest, f"it says {digest}")

    def _from_base(self, blob: Blob, base: Reference | None) -> Blob:
        """The blob, downloaded to the store and checked."""
        if base is None:
            raise InputError(
                f"the content of {blob.digest} is not here, and no base image is named for it",
                next_step="assemble the image again",
            )
        file = self.store.blob(blob.digest)
        if not file.is_file() or file.stat().st_size != blob.size:
            answer = self._ok(self._call("GET", base, f"blobs/{blob.digest}", stream=True, retry=False), 200)
            digest, _ = self.store.add(_streamed(answer))
            if digest != blob.digest:
                raise _damaged(base, blob.digest, f"what came is {digest}")
        return Blob(media_type=blob.media_type, digest=blob.digest, size=blob.size, content=file)

    def _call(
        self,
        method: str,
        at: Reference,
        path: str,
        *,
        actions: str = _PULL,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> requests.Response:
        """One request; a 401 of the registry itself is answered with a token once. Who it sends us on to gets no credentials."""
        url = path if "://" in path else _url(at, path)
        own = origin(_url(at, ""))
        known = self._auth.header(at.host, at.path, actions) if origin(url) == own else {}
        sent = {**(headers or {}), **known}
        answer = self.http.request(method, url, headers=sent, **options)
        if answer.status_code != 401 or origin(url) != own or origin(str(answer.url)) != own:
            return answer
        sent |= self._auth.answer(answer.headers.get("WWW-Authenticate", ""), at.host, at.path, actions)
        return self.http.request(method, url, headers=sent, **options)

    def _ok(self, answer: requests.Response, status: int) -> requests.Response:
        if answer.status_code == status:
            return answer
        raise refused(str(answer.request.method), str(answer.url), answer)


def _url(at: Reference, path: str) -> str:
    host = "registry-1.docker.io" if at.host == "docker.io" else at.host
    scheme = "http" if is_loopback(host.partition(":")[0]) else "https"
    return f"{scheme}://{host}/v2/{at.path}/{path}"


def _again(attempt: Callable[[], T]) -> T:
    """Whatever broke in one attempt is no reason not to make another: nothing is kept of a session that did not finish."""
    try:
        return attempt()
    except ProviderUnavailable as error:
        fault = getattr(error.__context__, "fault", None)
        raise Faulted(
            Fault(
                meaning=Meaning.TRY_AGAIN, text=fault.text if fault else error.what, wait=fault.wait if fault else None
            ),
            error,
        ) from error


def _streamed(answer: requests.Response) -> Iterator[bytes]:
    import requests

    try:
        yield from answer.iter_content(1 << 20)
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        raise Faulted(faults.of_connection("GET", error, sent=True), error) from error


def _checked(content: bytes, digest: str, at: Reference) -> bytes:
    if sha256(content) != digest:
        raise _damaged(at, digest, f"what came is {sha256(content)}")
    return content


def _damaged(at: Reference, digest: str, message: str) -> ProviderError:
    return ProviderError(
        f"{digest} did not arrive whole: {message}",
        where=at.repository,
        why="the connection was cut by something in between, the registry's disk is full, or a cached layer was changed on disk",
        next_step="run the same command again: what arrived is not sent twice. If it stays, empty $SHIPMATE_HOME/images",
    )
