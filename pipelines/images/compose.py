"""Manifest and configuration of an image from its base and what we put on top. Pure: no clock, no machine, no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.images.base import Base
from pipelines.images.model import CONFIG, EPOCH, MANIFEST, Blob, canonical


@dataclass(frozen=True, kw_only=True)
class Additions:
    """What we put on top of the base."""

    layers: tuple[tuple[Blob, str], ...]
    """Each with a line of history."""
    command: tuple[str, ...]
    env: Mapping[str, str]
    labels: Mapping[str, str]
    folder: str
    user: str = "65532:65532"


def compose(base: Base, added: Additions, annotations: Mapping[str, str]) -> tuple[bytes, Blob]:
    """Manifest and configuration of the base and what is added (image-spec config.md). A pure function of its arguments."""
    inherited = dict(base.config.get("config") or {})
    env = dict(pair.partition("=")[::2] for pair in inherited.get("Env") or [])
    container = {
        **inherited,
        "Env": [f"{name}={value}" for name, value in {**env, **added.env}.items()],
        "Entrypoint": list(added.command),
        "WorkingDir": added.folder,
        "User": inherited.get("User") or added.user,
        "Labels": {**(inherited.get("Labels") or {}), **added.labels},
    }
    container.pop("Cmd", None)
    history = [
        *base.config.get("history", ()),
        *({"created": EPOCH, "created_by": message} for _, message in added.layers),
    ]
    platform = {key: base.config[key] for key in ("architecture", "os", "variant") if key in base.config}
    config = Blob.of(
        canonical(
            {
                **platform,
                "created": EPOCH,
                "config": container,
                "history": history,
                # What is added is not compressed, so digest and diff id are the same.
                "rootfs": {
                    "type": "layers",
                    "diff_ids": [*base.config["rootfs"]["diff_ids"], *(blob.digest for blob, _ in added.layers)],
                },
            }
        ),
        CONFIG,
    )
    layers = [*base.layers, *(blob for blob, _ in added.layers)]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": [blob.descriptor() for blob in layers],
        "annotations": dict(annotations),
    }
    return canonical(manifest), config
