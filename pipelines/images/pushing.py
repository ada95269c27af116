"""What must hold of a layout before it is pushed: it is what was asked for, and what it leaves out is its base's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pipelines.errors import InputError
from pipelines.images.base import Fetch, fetch_base
from pipelines.images.model import BuiltImage
from pipelines.images.store import Store


def require_digest(image: BuiltImage, digest: str, where: Path) -> None:
    """Raises InputError unless the image is the one of this digest (any, when it is empty)."""
    if digest and image.digest != digest:
        raise InputError(
            f"the layout holds {image.digest}, and {digest} was to be pushed",
            where=str(where),
            why="the layout of another component or run was taken, or it was built again meanwhile",
            next_step="take the artifact of the job that built this digest",
        )


def with_base(
    image: BuiltImage, base: str, *, fetch: Fetch, store: Store, where: Path, held: Callable[[str], bool]
) -> BuiltImage:
    """The image with the place where its missing layers are. `held`: whether the repository it is for has a digest already; those come
    from nowhere else. Raises InputError when another one is no layer of `base`."""
    missing = [blob for blob in image.layers if blob.content is None and not held(blob.digest)]
    if not missing:
        return image
    known = {(blob.digest, blob.size) for blob in fetch_base(base, fetch, store).layers} if base else set()
    strange = [blob.digest for blob in missing if (blob.digest, blob.size) not in known]
    if strange:
        raise InputError(
            f"the layout is without {', '.join(strange)}, which is no layer of {base or 'any base: none is declared'}",
            where=str(where),
            why="it was built on another base than the manifest names, or the file was taken out",
            next_step="correct `image/base` in shipmate.yml, or build it again",
        )
    return replace(image, base=base)
