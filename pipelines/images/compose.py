"""Manifest and configuration of an image from its base and what we put on top. Pure: no clock, no machine, no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.images.base import Base
from pipelines.images.model import CONFIG, EPOCH, MANIFEST, Blob, canonical


@dataclass(frozen=True, kw_only=True)
class Ours:
    """What we put on top of the base."""

    layers: tuple[tuple[Blob, str], ...]
    """Each with a line of history."""
    command: tuple[str, ...]
    env: Mapping[str, str]
    labels: Mapping[str, str]
    folder: str
    user: str = "65532:65532"


def compose(base: Base, ours: Ours, annotations: Mapping[str, str]) -> tuple[bytes, Blob]:
    """Manifest and configuration of base + ours (image-spec config.md). A pure function of its arguments."""
    inherited = dict(base.config.get("config") or {})
    env = dict(pair.partition("=")[::2] for pair in inherited.get("Env") or [])
    container = {
        **inherited,
        "Env": [f"{name}={value}" for name, value in {**env, **ours.env}.items()],
        "Entrypoint": list(ours.command),
        "WorkingDir": ours.folder,
        "User": inherited.get("User") or ours.user,
        "Labels": {**(inherited.get("Labels") or {}), **ours.labels},
    }
    container.pop("Cmd", None)
    history = [
        *base.config.get("history", ()),
        *({"created": EPOCH, "created_by": message} for _, message in ours.layers),
    ]
    platform = {key: base.config[key] for key in ("architecture", "os", "variant") if key in base.config}
    config = Blob.of(
        canonical(
            {
                **platform,
                "created": EPOCH,
                "config": container,
                "history": history,
                # Ours are not compressed, so digest and diff id are the same.
                "rootfs": {
                    "type": "layers",
                    "diff_ids": [*base.config["rootfs"]["diff_ids"], *(blob.digest for blob, _ in ours.layers)],
                },
            }
        ),
        CONFIG,
    )
    layers = [*base.layers, *(blob for blob, _ in ours.layers)]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": [blob.descriptor() for blob in layers],
        "annotations": dict(annotations),
    }
    return canonical(manifest), config
