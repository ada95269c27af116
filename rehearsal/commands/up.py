"""`shipmate up`: the world stays up."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click


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


def lines(place: object) -> list[str]:
    """What a person needs to use the world."""
    from rehearsal.stories.place import Place

    assert isinstance(place, Place)  # noqa: S101 - narrows a late import
    page = f"{place.server}/{place.repository}"
    hosts = [f"https://{host}" for of in place.hosts.values() for host in of.values()]
    rows = [
        ("GitHub", page),
        ("Actions", f"{page}/actions"),
        ("Deployments", f"{page}/deployments"),
        (
            "clone",
            f"git clone {place.server.replace('://', '://dev-1:' + place.tokens['dev-1'] + '@')}/{place.repository}.git",
        ),
        (
            "gh",
            f"GH_HOST=github.localhost HTTP_PROXY={place.server} GH_TOKEN={place.tokens['dev-1']} GH_REPO=github.localhost/{place.repository} gh run list",
        ),
        ("shipmate", f"set -a; . {place.root / 'terminal.env'}; set +a; shipmate status"),
        ("sites", ", ".join(hosts)),
        (
            "open one",
            f"curl --cacert {place.ca} --connect-to ::{place.edge.removeprefix('https://')} {hosts[0]}/version",
        ),
    ]
    people = [f"    {login:16} {token}" for login, token in place.tokens.items()]
    return [
        *(f"  {name:12} {value}" for name, value in rows),
        "",
        "  People and their tokens (a password for git and the pages):",
        *people,
    ]
