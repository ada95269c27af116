"""Files to source: terminals of the world's users, with their git, gh and shipmate."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from rehearsal.scenario.world_client import WorldClient

GH_ADDRESS = "http://github.localhost"
"""The only host to which gh speaks http."""
_CREDENTIALS = '!f() { echo "username=$GIT_AUTHOR_NAME"; echo "password=$GITHUB_TOKEN"; }; f'


def terminal_file(client: WorldClient, login: str) -> Path:
    """A file to source: the variables of a user's terminal in this world, for git, gh and shipmate. Readable by its owner alone."""
    values = {name: value for name, value in client.terminal(login).items() if name not in ("PATH", "HOME", "LANG")}
    values |= {"SHIPMATE_WORLD_CONTROL": client.control, "SHIPMATE_WORLD_TOKEN": client.control_token}
    values |= _for_git(client) | _for_gh(client, login)
    _write_gh(client)
    found_first = f"{Path(sys.executable).parent}:{client.programs}"
    text = [f"export {name}={shlex.quote(value)}" for name, value in sorted(values.items())]
    file = client.root / "terminals" / f"{login}.env"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.write_text("\n".join([*text, f'export PATH={shlex.quote(found_first)}:"$PATH"', ""]))
    file.chmod(0o600)
    return file


def _for_git(client: WorldClient) -> dict[str, str]:
    """The addresses that gh and browsers know lead to the world's server, and credentials go there alone, whatever else is configured."""
    return _git_configuration(
        (f"credential.{client.server}.helper", _CREDENTIALS),
        (f"url.{client.server}/.insteadOf", f"{GH_ADDRESS}/"),
        (f"url.{client.server}/.insteadOf", f"{client.plain('github')}/"),
    )


def _git_configuration(*settings: tuple[str, str]) -> dict[str, str]:
    """As variables (git-config(1), GIT_CONFIG_COUNT)."""
    pairs = [
        (f"GIT_CONFIG_{part}_{number}", text)
        for number, setting in enumerate(settings)
        for part, text in zip(("KEY", "VALUE"), setting, strict=True)
    ]
    return {"GIT_CONFIG_COUNT": str(len(settings)), **dict(pairs)}


def _for_gh(client: WorldClient, login: str) -> dict[str, str]:
    return {
        "GH_HOST": "github.localhost",
        "GH_TOKEN": client.tokens[login],
        "GH_REPO": f"github.localhost/{client.repository}",
        "GH_PROMPT_DISABLED": "1",
        "GH_NO_UPDATE_NOTIFIER": "1",
    }


def _write_gh(client: WorldClient) -> None:
    """The machine's gh, which finds github.localhost through a proxy: the world's server. A proxy for it alone: for everything that a
    terminal starts, the server would stand in for other programs on this machine, too."""
    program, at = shutil.which("gh"), client.programs / "gh"
    if program is None or at.exists():
        return
    values = _git_configuration(
        (f"credential.{GH_ADDRESS}.helper", _CREDENTIALS),
        *((f"url.{GH_ADDRESS}/.insteadOf", f"{address}/") for address in (client.server, client.plain("github"))),
    )
    for name, value in {"http_proxy": client.server, "no_proxy": "127.0.0.1"}.items():
        values |= {name: value, name.upper(): value}
    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items())
    at.write_text(f'#!/bin/sh\nexec env {given} {shlex.quote(program)} "$@"\n')
    at.chmod(0o755)
