"""What is needed to use a world: its addresses, people and terminals; as lines, and as data."""

from __future__ import annotations

from typing import Any

from rehearsal.commands.terminals import GH_ADDRESS, terminal_file
from rehearsal.scenario.world_client import WorldClient
from rehearsal.world.record import Record


def lines(client: WorldClient) -> list[str]:
    """What is needed to use the world."""
    page = f"{client.plain('github')}/{client.repository}"
    hosts = [host for of in client.hosts.values() for host in of.values()]
    front = client.edge.removeprefix("https://")
    files = {login: terminal_file(client, login) for login in client.tokens}
    first, *others = files
    rows = [
        ("start", f"{client.plain('world')}/"),
        ("GitHub", page),
        ("Actions", f"{page}/actions"),
        ("Deployments", f"{page}/deployments"),
        ("messages", f"{client.plain('world')}/messages"),
        *(
            (environment, ", ".join(f"{client.plain(host)} ({component})" for component, host in components.items()))
            for environment, components in client.hosts.items()
        ),
        ("request one", f"curl --cacert {client.ca} --connect-to ::{front} https://{_release_address(client)}"),
        ("by its name", _browser(client, hosts, front)),
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


def document(client: WorldClient, record: Record) -> dict[str, Any]:
    """The same as data. Times are seconds since 1970."""
    return {
        "repository": record.repository,
        "process": record.keeper.pid,
        "detached": record.detached,
        "since": record.since,
        "ends": record.ends,
        "start": f"{client.plain('world')}/",
        "github": f"{client.plain('github')}/{client.repository}",
        "messages": f"{client.plain('world')}/messages",
        "sites": {
            environment: {component: client.plain(host) for component, host in components.items()}
            for environment, components in client.hosts.items()
        },
        "terminals": {login: str(terminal_file(client, login)) for login in client.tokens},
        "world": str(client.root / "world.json"),
    }


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
