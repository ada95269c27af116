"""Images and packed files: made the same on every machine, moved and named by digest only.

Building and pushing are apart. `build_layout` and `pack_layout` run or read code of the release, need no credentials and leave an OCI
layout on disk; `push_layout`, in another job, has the credentials, runs nothing of it, and believes none of it unchecked.

These functions are the door for flows and commands; `registry.Registry` is the client behind them. All of them raise
CredentialsError, InputError, LocalError, ProviderError or ProviderUnavailable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipelines.images.model import BuiltImage

if TYPE_CHECKING:
    from pipelines.http import Http
    from pipelines.images.registry import Registry
    from pipelines.manifest.components import Component, Image

__all__ = [
    "Access",
    "BuiltImage",
    "build",
    "build_layout",
    "client",
    "pack_files",
    "pack_layout",
    "pull_files",
    "push",
    "push_layout",
    "require",
    "resolve",
]


class Access(Protocol):
    """Who we are at Google's registries. Other registries go by what `docker login` wrote."""

    def google(self) -> str:
        """An access token."""


def client(http: Http, credentials: Access | None = None) -> Registry:
    """A client of all registries; without credentials it is anonymous at Google's."""
    from pipelines.images.registry import Registry
    from pipelines.images.registry_auth import docker_logins, google

    return Registry(http, credentials=google(credentials.google) if credentials else docker_logins)


def build(
    component: Component,
    root: Path,
    commit: str,
    *,
    http: Http,
    credentials: Access | None = None,
    source: str = "",
    output: Path | None = None,
) -> BuiltImage:
    """The image of a component at a commit of the repository at `root`; written to `output` as an OCI layout when given.

    `source` is the repository's public address (a label). Of the base only manifest and configuration are asked for, once; the
    overlay's `images` say where a pinned base is instead. Raises ManifestError as well.
    """
    from pipelines.images import assemble, buildx, dependencies, labels, layout
    from pipelines.images.sources import Commit

    if component.image is not None:
        _require_keys(component.image)
    if component.image is not None and component.image.builder == "buildx":
        label_values = labels.common(
            Commit.find(root, commit), migrations=component.migrations, source=source, builder=buildx.NAME
        )
        return buildx.build(component.image, root, commit, label_values, output)
    registry = client(http, credentials)
    image = assemble.assemble(
        component,
        root,
        commit,
        fetch=registry.fetch,
        store=registry.store,
        source=source,
        bases={component.image.base: at(component.image.base, component.image.mirror, http)} if component.image else {},
        platform=http.overlay.wheels or dependencies.PLATFORM,
    )
    if output is not None:
        layout.write(image, output, name=image.digest.removeprefix("sha256:")[:12])
    return image


def _require_keys(image: Image) -> None:
    """The manifest of a release is not held to what this suite requires of one, so it may lack what its builder needs."""
    from pipelines.errors import ManifestError
    from pipelines.manifest.components import KEYS_OF_BUILDERS

    missing = [key for key in KEYS_OF_BUILDERS[image.builder] if not getattr(image, key)]
    if missing:
        raise ManifestError(
            f"the image does not say {', '.join(missing)}",
            where=f"image of {image.repository}",
            why=f"`builder: {image.builder}` needs it",
            next_step="add it to the image in shipmate.yml (docs/MANIFEST.md)",
        )


def build_layout(
    component: Component,
    root: Path,
    commit: str,
    *,
    output: Path,
    http: Http,
    source: str = "",
    say: Callable[[str], object] = lambda _: None,
) -> str:
    """`build` into the folder `output`, without credentials: the digest of the manifest. Both builders end here.

    The assembler leaves the layers of the base out (`push_layout` gets them); a Dockerfile's layout is whole. `say` is called with what
    the build should report of the image.
    """
    built = build(component, root, commit, http=http, source=source, output=output)
    for note in built.notes:
        say(f"note: {note}")
    return built.digest


def pack_layout(folder: Path, output: Path) -> str:
    """The files of a build, without its config.json, as an OCI layout in `output`; the digest of its manifest."""
    from pipelines.images import layout

    packed = pack_files(folder)
    layout.write(packed, output, name=packed.digest.removeprefix("sha256:")[:12])
    return packed.digest


def push_layout(
    folder: Path,
    repository: str,
    tags: Sequence[str] = (),
    *,
    http: Http,
    credentials: Access | None = None,
    digest: str = "",
    base: str = "",
    mirror: str = "",
) -> str:
    """Push a layout that another job built: `host/path@sha256:…`. Nothing of it is run, and nothing is sent before all is checked.

    `digest` is what the layout must be, when that is known. `base` is the pinned image whose layers the layout may leave out, as the
    manifest names it, read at `mirror` where one is named; what the layout itself says of its base is not believed, so that nobody
    else's layers can be had by naming them. Layers that the repository holds are neither fetched nor sent, and where it holds all that
    are left out, their base is not asked. Safe to repeat. Raises InputError for a layout that lies.
    """
    from pipelines.images import layout, pushing

    image = layout.read(folder)
    registry = client(http, credentials)
    pushing.require_digest(image, digest, folder)
    whole = pushing.with_base(
        image,
        at(base, mirror, http),
        fetch=registry.fetch,
        store=registry.store,
        where=folder,
        held=lambda digest: registry.holds(repository, digest),
    )
    return registry.push(whole, repository, tags)


def at(base: str, mirror: str, http: Http) -> str:
    """Where a pinned base is read: where the overlay says, else at its mirror, else where its name says."""
    from pipelines.images.model import Reference

    digest = Reference.parse(base).digest if base and mirror else ""
    return http.overlay.images.get(base) or (f"{mirror}@{digest}" if digest else base)


def push(
    image: BuiltImage, repository: str, tags: Sequence[str] = (), *, http: Http, credentials: Access | None = None
) -> str:
    """Push what is not there yet; `host/path@sha256:…`. Safe to repeat."""
    return client(http, credentials).push(image, repository, tags)


def resolve(reference: str, *, http: Http, credentials: Access | None = None) -> str:
    """The digest a reference means now. Raises InputError when there is nothing."""
    return client(http, credentials).resolve(reference)


def require(reference: str, *, http: Http, credentials: Access | None = None) -> None:
    """Raises InputError unless the reference is there."""
    resolve(reference, http=http, credentials=credentials)


def pack_files(folder: Path) -> BuiltImage:
    """The files of a build, without its config.json, ready to be pushed. Its digest depends on names and contents only."""
    from pipelines.images.files import pack

    return pack(folder)


def pull_files(reference: str, folder: Path, *, http: Http, credentials: Access | None = None) -> Path:
    """Packed files from a registry into a folder, checked against their digest."""
    from pipelines.images.files import fetch

    fetch(client(http, credentials), reference, folder)
    return folder
