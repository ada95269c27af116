"""`shipmate up`: the world stays up."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rehearsal.scenario.world_client import Place


@click.command("up", short_help="Start the world on this machine and keep it up.")
@click.option(
    "--repository",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="The checkout to deliver; this one by default.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Of the emulated GitHub, for an address that stays; else a free one.",
)
def command(repository: Path | None, port: int) -> None:
    """Start every emulator and a GitHub with this repository in it, print their addresses, and keep them up until Ctrl-C.

    Example: shipmate up --port 8080
    """
    from rehearsal.commands.errors import explained
    from rehearsal.world.handle import World

    world = World(checkout(repository), port=port)
    with explained(), world as place:
        click.echo(f"The world is up after {world.seconds_to_ready:.1f} s. Ctrl-C takes everything down.\n")
        for line in lines(place):
            click.echo(line)
        over = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: over.set())
        while not over.wait(0.5):
            if not world.alive():
                raise click.ClickException(f"the world ended by itself; it said:\n{world.said()}")
        click.echo("\ntaking everything down")


def checkout(given: Path | None) -> Path:
    """The repository to deliver: the given one, or the checkout this command belongs to."""
    return (given or Path(__file__).parents[2]).resolve()


def lines(place: Place) -> list[str]:
    """What a person needs to use the world."""
    page = f"{place.server}/{place.repository}"
    hosts = [host for of in place.hosts.values() for host in of.values()]
    front = place.edge.removeprefix("https://")
    files = {login: terminal_file(place, login) for login in place.tokens}
    first, *others = files
    rows = [
        ("GitHub", page),
        ("Actions", f"{page}/actions"),
        ("Deployments", f"{page}/deployments"),
        ("the sites", ", ".join(f"https://{host}" for host in hosts)),
        ("ask one", f"curl --cacert {place.ca} --connect-to ::{front} https://{_to_ask(place)}"),
        ("browse them", _browser(place, hosts, front)),
        ("as data", str(place.root / "world.json")),
    ]
    people = [f"    {login:16} {token}" for login, token in place.tokens.items()]
    return [
        *(f"  {name:12} {value}" for name, value in rows),
        "",
        "  People and their tokens (the password for git and the pages):",
        *people,
        "",
        "  Begin in another terminal:",
        f"    . {files[first]}     # git, gh and shipmate are now {first}'s in this world",
        f"    git clone {page}.git",
        f"    cd {place.repository.partition('/')[2]} && shipmate status",
        f"  The others' terminals are beside it: {', '.join(files[login].name for login in others)}",
    ]


def _to_ask(place: Place) -> str:
    """Where a component says which release it is; the first page where none does."""
    for environment, told in place.releases.items():
        for component, (path, _) in told.items():
            return f"{place.hosts[environment][component]}{path}"
    return next(f"{host}/" for of in place.hosts.values() for host in of.values())


def _browser(place: Place, hosts: list[str], front: str) -> str:
    rules = ",".join(f"MAP {host}:443 {front}" for host in hosts)
    return (
        f"chromium --user-data-dir={place.root}/browser --ignore-certificate-errors-spki-list={place.spki} "
        f"--host-resolver-rules='{rules}' https://{hosts[-1]}/"
    )


def terminal_file(place: Place, login: str) -> Path:
    """A file to source: the variables of somebody's terminal in this world, for git, gh and shipmate. Theirs alone to read."""
    import shlex

    values = {name: value for name, value in place.terminal(login).items() if name not in ("PATH", "HOME", "LANG")}
    values |= _for_git(place, login) | _for_gh(place, login)
    found_first = f"{Path(sys.executable).parent}:{place.programs}"
    text = [f"export {name}={shlex.quote(value)}" for name, value in sorted(values.items())]
    file = place.root / "terminals" / f"{login}.env"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.write_text("\n".join([*text, f'export PATH={shlex.quote(found_first)}:"$PATH"', ""]))
    file.chmod(0o600)
    return file


def _for_git(place: Place, login: str) -> dict[str, str]:
    """Credentials for this world's server alone, whatever else is configured (git-config(1), GIT_CONFIG_COUNT)."""
    helper = f"!f() {{ echo username={login}; echo password={place.tokens[login]}; }}; f"
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"credential.{place.server}.helper",
        "GIT_CONFIG_VALUE_0": helper,
    }


def _for_gh(place: Place, login: str) -> dict[str, str]:
    """gh speaks https to every host but `*.localhost`, and finds that one through a proxy: the world's server."""
    return {
        "GH_HOST": "github.localhost",
        "GH_TOKEN": place.tokens[login],
        "GH_REPO": f"github.localhost/{place.repository}",
        "GH_PROMPT_DISABLED": "1",
        "GH_NO_UPDATE_NOTIFIER": "1",
        "HTTP_PROXY": place.server,
        "NO_PROXY": "127.0.0.1",
    }
