"""The environments by name: their addresses, as shipmate.yml says them, and which of them only lets itself be looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.target import TargetError

if TYPE_CHECKING:
    from pipelines.manifest import Manifest

DEVELOPMENT = "development"
_ROOT = Path(__file__).parents[1]
_PAGE_OF_DEVELOPMENT = "http://localhost:5173"
"""What `npm --prefix apps/web run dev` serves."""


def variables(name: str, manifest: Manifest) -> dict[str, str]:
    """E2E_WEB_URL and E2E_API_URL of an environment. Raises TargetError for a name that is none."""
    if name == DEVELOPMENT:
        config = json.loads((_ROOT / "apps/web/config.development.json").read_text())
        return {"E2E_WEB_URL": _PAGE_OF_DEVELOPMENT, "E2E_API_URL": config["apiUrl"]}
    if name not in manifest.environments:
        known = ", ".join((DEVELOPMENT, *manifest.environments))
        raise TargetError(f"--environment {name}: there is none of that name; one of: {known}")
    if manifest.browser_tests is None:
        raise TargetError(f"--environment {name}: shipmate.yml has no `browser_tests`, which names the variables")
    from pipelines.ci import browser_tests

    urls = {component: target.url for component, target in manifest.environments[name].targets.items()}
    found = browser_tests.variables(manifest.browser_tests, urls, "", Path())
    return {variable: url for variable, url in found.items() if variable in ("E2E_WEB_URL", "E2E_API_URL")}


def looked_at_only(values: Mapping[str, str], manifest: Manifest) -> str | None:
    """The environment among whose addresses one of these is and which only releases enter that were proved or approved; else None."""
    given = {values.get(name, "").rstrip("/") for name in ("E2E_WEB_URL", "E2E_API_URL")}
    for name, environment in manifest.environments.items():
        guarded = environment.proved_by is not None or environment.approval is not None
        if guarded and given & {target.url.rstrip("/") for target in environment.targets.values()}:
            return name
    return None
