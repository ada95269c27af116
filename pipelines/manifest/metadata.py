"""What a field of the manifest's types says of its key: the documentation and the schema are made of it."""

from __future__ import annotations

from typing import Any


def policy_key(doc: str, example: Any = None, **more: Any) -> dict[str, Any]:
    """Metadata of a field: what its key means, and a value for the annotated example."""
    return {"doc": doc, "example": example, **more}


def release_key(doc: str, example: Any = None, **more: Any) -> dict[str, Any]:
    """`policy_key` for one that belongs to the release: its value is the one of the commit that is released."""
    return policy_key(doc, example, release=True, **more)
