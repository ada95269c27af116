"""Deployment Protection: which addresses of a project ask who comes, and what lets our checks in
(vercel.com/docs/deployment-protection, …/methods-to-bypass-deployment-protection/protection-bypass-automation).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelines.errors import CredentialsError, RefusedError

HEADER = "x-vercel-protection-bypass"
"""The header that lets automation see a protected deployment."""
SECRET = "VERCEL_BYPASS"  # noqa: S105 - the name of a secret, not one
_METHODS = {"ssoProtection": "Vercel Authentication", "passwordProtection": "Password Protection"}
WHOLE = "all"
"""The scope that covers the public addresses too."""
_PREVIEWS = "preview"
"""The one scope that leaves the addresses of production deployments open, and ours are such."""


def covering(settings: Mapping[str, Any]) -> str:
    """What covers the own addresses of production deployments, for people; empty where nothing does."""
    for key, name in _METHODS.items():
        scope = str((settings.get(key) or {}).get("deploymentType") or "")
        if scope and scope != _PREVIEWS:
            return f"{name} ({scope})"
    return ""


def require_bypass(settings: Mapping[str, Any], bypass: str, *, lets_in: Callable[[], bool | None]) -> None:
    """That checks can see a candidate at its own address, by the project's settings.

    `lets_in`: whether a deployment that is there answers to the bypass; None when there is none. It is asked where the settings do not
    list the secrets, which not every role is shown. Raises CredentialsError, and RefusedError where users too would be sent to a login:
    no check at the public address sends the secret, since users have none.
    """
    _require_open(settings)
    by = covering(settings)
    if not by:
        return
    known = settings.get("protectionBypass") or {}
    wrong = bool(bypass) and (bypass not in known if known else lets_in() is False)
    if bypass and not wrong:
        return
    raise CredentialsError(
        "the bypass secret is none of this project" if wrong else "there is no secret that lets checks see a candidate",
        where=f"Vercel, {settings.get('name', 'project')}",
        why=f"{by} covers the addresses of deployments: a client that does not send the header {HEADER} is sent to a login",
        next_step=(
            "take the secret of Vercel → the project → Settings → Deployment Protection → Protection Bypass for Automation (make one "
            f"where there is none), and store it as {SECRET} under GitHub → Settings → Environments → secrets, in the environment that "
            f"deploys; on a laptop export {SECRET}. Or turn the protection off"
        ),
    )


def _require_open(settings: Mapping[str, Any]) -> None:
    """That the public addresses are open. Raises RefusedError."""
    for key, name in _METHODS.items():
        if str((settings.get(key) or {}).get("deploymentType") or "") == WHOLE:
            raise RefusedError(
                "the public address is not open to users",
                where=f"Vercel, {settings.get('name', 'project')}",
                why=f"{name} covers all deployments, the production domain too: who opens it is sent to a login, and so is every check",
                next_step="set its scope to Standard Protection: Vercel → the project → Settings → Deployment Protection",
            )
