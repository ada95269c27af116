"""`shipmate up`: the world stays up."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rehearsal.stories.place import Place


@click.command("up", short_help="Start the world on this machine and keep it up.")
@click.option(
    "--repository",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="The checkout to deliver; this one by default.",
)
def command(repository: Path | None) -> None:
    """Start every emulator and a GitHub with this repository in it, print their addresses, and keep them up until Ctrl-C.

    Example: shipmate up
    """
    from rehearsal.commands.trouble import explained
    from rehearsal.world.handle import World

    world = World(checkout(repository))
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
    hosts = [f"https://{host}" for of in place.hosts.values() for host in of.values()]
    front = place.edge.removeprefix("https://")
    rows = [
        ("GitHub", page),
        ("Actions", f"{page}/actions"),
        ("Deployments", f"{page}/deployments"),
        ("the sites", ", ".join(hosts)),
        ("open one", f"curl --cacert {place.ca} --connect-to ::{front} {hosts[0]}/version"),
        ("a terminal", f"set -a; . {terminal_file(place)}; set +a   # then git, gh and shipmate lead to this world"),
        ("clone", f"git clone {place.server}/{place.repository}.git"),
    ]
    people = [f"    {login:16} {token}" for login, token in place.tokens.items()]
    return [
        *(f"  {name:12} {value}" for name, value in rows),
        "",
        "  People and their tokens (the password for git and the pages):",
        *people,
    ]


def terminal_file(place: Place) -> Path:
    """A file to source: the variables of a terminal in this world, `gh` included, as whoever is on call."""
    import shlex

    values = {name: value for name, value in place.terminal("on-call").items() if name not in ("PATH", "HOME", "LANG")}
    values |= {
        "GH_HOST": "github.localhost",
        "GH_TOKEN": place.tokens["on-call"],
        "GH_REPO": f"github.localhost/{place.repository}",
        "HTTP_PROXY": place.server,
        "NO_PROXY": "127.0.0.1,localhost",
    }
    file = place.root / "terminal.env"
    file.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(values.items())))
    file.chmod(0o600)
    return file
