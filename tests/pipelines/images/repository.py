"""A small repository and component to build images of."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pipelines.manifest.components import Component, Image

FILES = {
    "apps/backend/requirements.txt": "# nothing is needed\n",
    "apps/backend/backend/__init__.py": "",
    "apps/backend/backend/__main__.py": "print('hello')\n",
    "apps/backend/backend/deep/er/long_" + "name" * 30 + ".py": "X = 'é'\n",
    "apps/backend/migrations/0001_notes.expand.sql": "SELECT 1;\n",
    "apps/backend/migrations/0002_more.contract.sql": "SELECT 2;\n",
}


def make(root: Path, files: Mapping[str, str] = FILES, *, umask: int = 0o022) -> str:
    """Write and commit the files; the commit."""
    before = os.umask(umask)
    try:
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (root / "apps/backend/backend/__main__.py").chmod(0o755)
    finally:
        os.umask(before)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return git(root, "rev-parse", "HEAD")


def git(root: Path, *arguments: str) -> str:
    when = "2026-01-01T00:00:00Z"
    environ = {
        **os.environ,
        **{
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", "dev-1"), ("EMAIL", "dev-1@example.com"), ("DATE", when))
        },
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }
    done = subprocess.run(["git", "-C", str(root), *arguments], env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def component(base: str, **image: object) -> Component:
    values: dict[str, object] = {
        "repository": "europe-west1-docker.pkg.dev/techmate-delivery/platform/backend",
        "base": base,
        "requirements": "apps/backend/requirements.txt",
        "sources": ("apps/backend/backend -> backend",),
        "command": ("python", "-m", "backend"),
    }
    values |= image
    return Component(paths=("apps/**",), migrations="apps/backend/migrations", image=Image(**values))  # type: ignore[arg-type]
