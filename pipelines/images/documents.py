"""The JSON documents of a layout that someone else's code wrote: read narrowly, so that nothing is pushed that we do not understand.

Formats: github.com/opencontainers/image-spec (image-layout.md, image-index.md, manifest.md, config.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.images.model import CONFIG, EMPTY, FILES, INDEX, LAYER, MANIFEST, Blob, sha256

LARGEST_DOCUMENT = 4 * 1024**2
"""Bytes of an index, a manifest or a configuration: what registries take of a manifest."""
LARGEST_IMAGE = 10 * 1024**3
"""Bytes of all layers together, as they are stored: about what Cloud Run takes."""
MOST_LAYERS = 127

_LAYERS = frozenset({LAYER, f"{LAYER}+gzip", f"{LAYER}+zstd"})
_OF_DESCRIPTOR = frozenset({"mediaType", "digest", "size", "annotations", "platform"})
_OF_MANIFEST = frozenset({"schemaVersion", "mediaType", "artifactType", "config", "layers", "annotations"})


class Malformed(ValueError):
    """What is wrong with a document, for `layout` to tell with the folder's name."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a manifest lists."""

    config: Blob
    layers: tuple[Blob, ...]
    artifact: str
    """Type of what is no container image; empty for an image."""


def parsed(content: bytes, what: str) -> dict[str, Any]:
    """A JSON object in which no key stands twice: two readers would see two documents. Raises Malformed."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise Malformed(f"a key stands twice in {what}")
        return dict(pairs)

    try:
        document = json.loads(content, object_pairs_hook=once)
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{what} is not JSON: {type(error).__name__}") from error
    if not isinstance(document, dict):
        raise Malformed(f"{what} is not a JSON object")
    return document


def index(content: bytes) -> tuple[Blob, Mapping[str, Any]]:
    """The one manifest that index.json names, and that entry's annotations. Raises Malformed."""
    document = parsed(content, "index.json")
    entries = document.get("manifests")
    if document.get("schemaVersion") != 2 or not isinstance(entries, list):
        raise Malformed("index.json is no image index of schema version 2")
    if len(entries) != 1:
        raise Malformed(f"index.json names {len(entries)} manifests, and one image has one")
    if isinstance(entries[0], dict) and entries[0].get("mediaType") == INDEX:
        raise Malformed("index.json names a further index: build for one platform, and without attestations")
    entry = descriptor(entries[0], frozenset({MANIFEST}), "index.json")
    annotations = entries[0].get("annotations") or {}
    if not isinstance(annotations, dict):
        raise Malformed("the annotations in index.json are not an object")
    return entry, annotations


def manifest(content: bytes) -> Parts:
    """What the manifest lists. Raises Malformed for anything but one plain image, or one packed folder of files."""
    document = parsed(content, "the manifest")
    strange = sorted(document.keys() - _OF_MANIFEST)
    if strange:
        # `subject` would attach it to another image; `manifests` makes an index of it for other readers.
        raise Malformed(f"the manifest has the key {strange[0]!r}, which no image of ours has")
    if document.get("schemaVersion") != 2 or document.get("mediaType", MANIFEST) != MANIFEST:
        raise Malformed(f"the manifest is no {MANIFEST} of schema version 2")
    artifact, listed = document.get("artifactType", ""), document.get("layers")
    if artifact not in ("", FILES):
        raise Malformed(f"the manifest is of the type {artifact!r}: neither an image nor a packed site")
    if not isinstance(listed, list) or not listed or len(listed) > MOST_LAYERS:
        raise Malformed(f"the manifest does not list 1 to {MOST_LAYERS} layers")
    if artifact and len(listed) != 1:
        raise Malformed(f"a packed site has one layer, and the manifest lists {len(listed)}")
    config = descriptor(document.get("config"), frozenset({EMPTY if artifact else CONFIG}), "config")
    kinds = frozenset({LAYER}) if artifact else _LAYERS
    layers = tuple(descriptor(raw, kinds, f"layer {number}") for number, raw in enumerate(listed))
    if sum(layer.size for layer in layers) > LARGEST_IMAGE:
        raise Malformed(f"its layers have more than {LARGEST_IMAGE} bytes together")
    return Parts(config=config, layers=layers, artifact=artifact)


def descriptor(raw: object, kinds: frozenset[str], what: str) -> Blob:
    """A descriptor of one of these media types. Raises Malformed."""
    if not isinstance(raw, dict):
        raise Malformed(f"{what} is described by no JSON object")
    strange = sorted(raw.keys() - _OF_DESCRIPTOR)
    if strange:
        # `urls` sends the reader elsewhere for the bytes; `data` brings other bytes with it.
        raise Malformed(f"the descriptor of {what} has the key {strange[0]!r}, which is not taken")
    kind, size = raw.get("mediaType"), raw.get("size")
    if kind not in kinds:
        raise Malformed(f"{what} is of the media type {kind!r}, and not {' or '.join(sorted(kinds))}")
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise Malformed(f"{what} has the size {size!r}")
    if kind not in _LAYERS and size > LARGEST_DOCUMENT:
        raise Malformed(f"{what} has {size} bytes, and {LARGEST_DOCUMENT} are the most")
    return Blob.described(raw)


def image_config(content: bytes, layers: int) -> None:
    """The configuration must be that of an image for linux/amd64 with as many layers as its manifest. Raises Malformed."""
    document = parsed(content, "the configuration")
    platform = f"{document.get('os')}/{document.get('architecture')}"
    if platform != "linux/amd64":
        raise Malformed(f"the image is for {platform}, and not for linux/amd64")
    found = document.get("rootfs")
    diff_ids = found.get("diff_ids") if isinstance(found, dict) else None
    if not isinstance(diff_ids, list) or len(diff_ids) != layers:
        raise Malformed(f"the configuration does not name the {layers} layers of its manifest")


def require_digest(content: bytes, blob: Blob, what: str) -> None:
    """Raises Malformed unless the bytes are what the descriptor says."""
    if len(content) != blob.size or sha256(content) != blob.digest:
        raise Malformed(f"{what} is not what its digest says ({blob.digest})")
