"""The stand-ins for the base images that production builds on, in a registry.

A rehearsal cannot pull python:3.11-slim, and Cloud Run's emulator would not execute it: it runs the image's own layers
with the Python of this machine. So the world's registry holds a stand-in in its place (rehearsal/base_image.py).
"""

from __future__ import annotations

from rehearsal.base_image import MANIFEST, BaseImage, stand_in_base
from rehearsal.emulators.registry.state import Repositories


def seed_base(repositories: Repositories, name: str, tag: str, image: BaseImage | None = None) -> str:
    """Put the stand-in base into a registry as `name:tag`; its digest."""
    image = image or stand_in_base()
    repository = repositories.writable(name)
    for content in (image.config, image.layer):
        repository.blobs.add(repositories.blobs.put(content))
    return repositories.put_manifest(name, tag, MANIFEST, image.manifest)
