"""What `eas update` publishes: the folder that Metro writes, or one in its place.

The real program runs `npx expo export` unless given `--skip-bundler`, which evaluates the app. Here the bundle is the app's own scripts,
one after the other, in the same folders and beside a source map; it runs on no device.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from rehearsal.eas.project import Project
from rehearsal.eas.refusal import Failed

_SCRIPTS = (".js", ".jsx", ".mjs", ".ts", ".tsx", ".json")


def export(project: Project, folder: Path, platforms: list[str]) -> None:
    """Write what `expo export` writes: `metadata.json`, and for each platform a bundle with its map."""
    scripts = {name: content for name, content in project.files.items() if name.endswith(_SCRIPTS)}
    described: dict[str, Any] = {}
    for platform in platforms:
        code = f"// {platform}\n".encode() + b"\n".join(scripts[name] for name in sorted(scripts))
        name = f"_expo/static/js/{platform}/index-{hashlib.md5(code, usedforsecurity=False).hexdigest()}.hbc"
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(code)
        source_map = {"version": 3, "sources": sorted(scripts), "names": [], "mappings": "AAAA"}
        file.with_name(f"{file.name}.map").write_text(json.dumps(source_map))
        described[platform] = {"bundle": name, "assets": []}
    document = {"version": 0, "bundler": "metro", "fileMetadata": described}
    (folder / "metadata.json").write_text(json.dumps(document))


def manifests(folder: Path, given: str, *, skipped: bool) -> dict[str, str]:
    """Platform -> fragment of its manifest, as JSON. Raises Failed."""
    if not folder.is_dir():
        more = (
            " --skip-bundler requires the project to be exported manually before uploading. Ex: npx expo export && eas update "
            "--skip-bundler"
        )
        raise Failed(f'--input-dir="{given}" not found.{more if skipped else ""}')
    try:
        document = json.loads((folder / "metadata.json").read_bytes())
        if document["version"] != 0:
            raise Failed("Only bundles with metadata version 0 are supported")
        if document["bundler"] != "metro":
            raise Failed("Only bundles created with Metro are currently supported")
        return {platform: _manifest(folder, entry) for platform, entry in document["fileMetadata"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failed(f"{folder / 'metadata.json'}: {error}") from error


def _manifest(folder: Path, entry: dict[str, Any]) -> str:
    fragment = {
        "launchAsset": _asset(folder / entry["bundle"], ".hbc", "application/javascript"),
        "assets": [
            _asset(folder / one["path"], f".{one['ext']}", "application/octet-stream") for one in entry["assets"]
        ],
        "extra": {},
    }
    return json.dumps(fragment, sort_keys=True)


def _asset(file: Path, extension: str, kind: str) -> dict[str, str]:
    digest = hashlib.sha256(file.read_bytes()).digest()
    text = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return {"fileSHA256": text, "bundleKey": text[:32], "contentType": kind, "fileExtension": extension}
