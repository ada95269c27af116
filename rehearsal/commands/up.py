"""`shipmate up`: start a world and keep it up."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rehearsal.scenario.world_client import WorldClient


MANIFEST = "shipmate.yml"


@click.command("up", short_help="Start the world on this machine and keep it up.")
@click.option(
    "--repository",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="The checkout to deliver; that of the current folder by default.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of the emulated GitHub, for a fixed address; any free one by default.",
)
def command(repository: Path | None, port: int) -> None:
    """Start every emulator and a GitHub with this repository in it, print their addresses, and keep them up until Ctrl-C.

    Example: shipmate up --port 8080
    """
    from rehearsal.commands.errors import explained, interruptible
    from rehearsal.world.handle import World

    world = World(checkout(repository), port=port)
    with explained(), interruptible(), world as client:
        click.echo(f"The world is up after {world.seconds_to_ready:.1f} s. Ctrl-C stops it.\n")
        for line in lines(client):
            click.echo(line)
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        while not stopped.wait(0.5):
            if not world.alive():
                raise click.ClickException(f"the world ended unexpectedly; its last output:\n{world.output()}")
        click.echo("\nstopping everything")


def checkout(given: Path | None) -> Path:
    """The repository to deliver: the given one, or the checkout of the current folder. Raises ClickException outside of one."""
    if given is not None:
        return given.resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / MANIFEST).is_file():
            return folder
    raise click.ClickException(
        f"{here} is in no checkout of a platform: there is no {MANIFEST} here or above\n"
        "  next: run this inside the platform's repository, or name one with --repository FOLDER"
    )


def lines(client: WorldClient) -> list[str]:
    """What is needed to use the world."""
    page = f"{client.server}/{client.repository}"
    hosts = [host for of in client.hosts.values() for host in of.values()]
    front = client.edge.removeprefix("https://")
    files = {login: terminal_file(client, login) for login in client.tokens}
    first, *others = files
    rows = [
        ("GitHub", page),
        ("Actions", f"{page}/actions"),
        ("Deployments", f"{page}/deployments"),
        ("the sites", ", ".join(f"https://{host}" for host in hosts)),
        ("request one", f"curl --cacert {client.ca} --connect-to ::{front} https://{_release_address(client)}"),
        ("browse them", _browser(client, hosts, front)),
        ("as data", str(client.root / "world.json")),
    ]
    tokens = [f"    {login:16} {token}" for login, token in client.tokens.items()]
    return [
        *(f"  {name:12} {value}" for name, value in rows),
        "",
        "  Users and their tokens (the password for git and the pages):",
        *tokens,
        "",
        "  Start in another terminal:",
        f"    . {files[first]}     # git, gh and shipmate are now {first}'s in this world",
        f"    git clone {GH_ADDRESS}/{client.repository}.git     # an address that git and gh know in such a terminal",
        f"    cd {client.repository.partition('/')[2]} && shipmate status",
        f"  The others' terminals are beside it: {', '.join(files[login].name for login in others)}",
    ]


def _release_address(client: WorldClient) -> str:
    """Where a component says which release it is; the first page where none does."""
    for environment, components in client.releases.items():
        for component, (path, _) in components.items():
            return f"{client.hosts[environment][component]}{path}"
    return next(f"{host}/" for of in client.hosts.values() for host in of.values())


def _browser(client: WorldClient, hosts: list[str], front: str) -> str:
    rules = ",".join(f"MAP {host}:443 {front}" for host in hosts)
    return (
        f"chromium --user-data-dir={client.root}/browser --ignore-certificate-errors-spki-list={client.spki} "
        f"--host-resolver-rules='{rules}' https://{hosts[-1]}/"
    )


def terminal_file(client: WorldClient, login: str) -> Path:
    """A file to source: the variables of a user's terminal in this world, for git, gh and shipmate. Readable by its owner alone."""
    import shlex

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


GH_ADDRESS = "http://github.localhost"
"""The only host to which gh speaks http."""
_CREDENTIALS = '!f() { echo "username=$GIT_AUTHOR_NAME"; echo "password=$GITHUB_TOKEN"; }; f'


def _for_git(client: WorldClient) -> dict[str, str]:
    """The address that gh knows leads to the world's server, and credentials go there alone, whatever else is configured."""
    return _git_configuration(
        {f"credential.{client.server}.helper": _CREDENTIALS, f"url.{client.server}/.insteadOf": f"{GH_ADDRESS}/"}
    )


def _git_configuration(settings: dict[str, str]) -> dict[str, str]:
    """As variables (git-config(1), GIT_CONFIG_COUNT)."""
    pairs = [
        (f"GIT_CONFIG_{part}_{number}", text)
        for number, setting in enumerate(settings.items())
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
    import shlex

    program, at = shutil.which("gh"), client.programs / "gh"
    if program is None or at.exists():
        return
    values = _git_configuration(
        {f"credential.{GH_ADDRESS}.helper": _CREDENTIALS, f"url.{GH_ADDRESS}/.insteadOf": f"{client.server}/"}
    )
    for name, value in {"http_proxy": client.server, "no_proxy": "127.0.0.1"}.items():
        values |= {name: value, name.upper(): value}
    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items())
    at.write_text(f'#!/bin/sh\nexec env {given} {shlex.quote(program)} "$@"\n')
    at.chmod(0o755)
