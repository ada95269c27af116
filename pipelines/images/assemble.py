"""Our image builder: base by digest + locked dependencies + the commit's own files. Same commit, same digest, on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelines.errors import ManifestError
from pipelines.images import dependencies, labels, migrator
from pipelines.images.base import Fetch, fetch_base
from pipelines.images.compose import Additions, compose
from pipelines.images.layer import tar
from pipelines.images.model import LAYER, Blob, BuiltImage, Reference, sha256
from pipelines.images.sources import Commit
from pipelines.images.store import Store
from pipelines.manifest.components import Component, Image

ROOT = "app"
DEPENDENCIES = f"{ROOT}/deps"
BUILDER = "shipmate-assembler/1"


def assemble(
    component: Component,
    root: Path,
    commit: str,
    *,
    fetch: Fetch,
    store: Store,
    source: str,
    bases: Mapping[str, str],
    platform: str = dependencies.PLATFORM,
) -> BuiltImage:
    """The image of a component at a commit.

    `source` is the repository's address for its label. `bases` maps a pinned base to where it is instead (a mirror, the
    rehearsal's registry), `platform` is that of the wheels.

    Raises ManifestError, InputError, LocalError, ProviderError, ProviderUnavailable.
    """
    image = _image(component)
    made_of = Commit.find(root, commit)
    requirements = made_of.read(image.requirements)
    base = fetch_base(bases.get(image.base, image.base), fetch, store)
    # A mirror has the same image under another name, and one commit gives one digest wherever its base was read.
    named = Reference.parse(image.base) if base.reference.digest in image.base else base.reference
    python = base.python or image.python
    layers = [
        (
            dependencies.layer(requirements, python, DEPENDENCIES, store, platform=platform),
            f"uv pip install -r {image.requirements}",
        ),
        *(_source_layer(made_of, written) for written in image.sources),
    ]
    if image.migrator and component.migrations:
        layers += migrator.layers(made_of, component.migrations, python, store, platform=platform)
    label_values = {
        **labels.common(made_of, migrations=component.migrations, source=source, builder=BUILDER),
        "org.opencontainers.image.base.name": named.name,
        "org.opencontainers.image.base.digest": base.reference.digest,
        "shipmate.requirements": sha256(requirements),
        "shipmate.python": python,
    }
    added = Additions(
        layers=tuple(layers),
        command=image.command,
        env={"PYTHONPATH": f"/{DEPENDENCIES}:/{ROOT}", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
        labels=label_values,
        folder=f"/{ROOT}",
    )
    manifest, config = compose(
        base, added, {key: label_values[key] for key in label_values if key.startswith("org.opencontainers.")}
    )
    return BuiltImage(
        manifest=manifest,
        config=config,
        layers=(*base.layers, *(blob for blob, _ in layers)),
        base=str(base.reference),
        notes=_notes(made_of, image, python),
    )


def _image(component: Component) -> Image:
    if component.image is None:
        raise ManifestError(
            "this component has no `image`",
            where="components",
            next_step="add one in shipmate.yml, or name a component that has (`shipmate manifest check` lists them)",
        )
    return component.image


def _source_layer(commit: Commit, written: str) -> tuple[Blob, str]:
    folder, arrow, name = (part.strip() for part in written.partition("->"))
    name = name if arrow else folder.strip("/")
    if name == "deps" or ".." in name.split("/") or not name:
        raise ManifestError(
            f"a source cannot be put at {name!r}",
            where="image/sources",
            why="`deps` holds the dependencies, and everything lies below /app",
            next_step="choose another name behind `->`",
        )
    content = b"".join(tar(commit.files(folder, f"{ROOT}/{name}")))
    return Blob.of(content, LAYER), f"copy {folder} to /{ROOT}/{name}"


def _notes(commit: Commit, image: Image, python: str) -> tuple[str, ...]:
    notes = []
    if python != image.python:
        notes.append(
            f"the wheels are for Python {python}, which the base has; the manifest says {image.python} (image/python)"
        )
    folders = [written.partition("->")[0].strip() for written in image.sources]
    changed = commit.uncommitted([*folders, image.requirements])
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        notes.append(
            f"uncommitted changes are not in the image: {changed[0]}{more} (it is made of commit {commit.sha[:12]})"
        )
    return tuple(notes)
