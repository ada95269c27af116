"""The ports of one world: each emulator behind its contract, the faults and the journal."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.types import ASGIApp

from rehearsal.callers import KnownCallers, Related, nobody
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulator import Emulator
from rehearsal.faults import Faults, Faulty, Who
from rehearsal.journal import Journal, Journaled
from rehearsal.serving import Server


@dataclass(kw_only=True)
class Servers:
    """What is served, by name, and what all of it shares."""

    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    violations: list[Violation] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)
    """Name -> base address."""
    hosts: dict[str, str] = field(default_factory=dict)
    """Public host name -> base address."""
    apps: dict[str, ASGIApp] = field(default_factory=dict)
    """Public host name -> what answers there."""
    _servers: list[Server] = field(default_factory=list)

    async def serve(self, name: str, app: ASGIApp, port: int = 0, *, related: Related = nobody) -> str:
        """Serve an app to programs and its own pages, and to those that are `related`; its address. Raises OSError when a wanted port is
        taken."""
        server = Server(KnownCallers(app, lambda: self.hosts, related), name, port=port)
        self._servers.append(server)
        await server.start()
        self.addresses[name] = server.url
        return server.url

    async def serve_emulator(self, emulator: Emulator, *, who: Who | None = None) -> None:
        """Serve an emulator; `who`: whose request it is, for faults. Raises OSError and ContractUnavailable."""
        app = self.observed(emulator, who)
        self.publish(emulator, await self.serve(emulator.name, app), app)

    def observed(self, emulator: Emulator, who: Who | None = None) -> ASGIApp:
        """An emulator's app behind its contract, the faults and the journal. Raises ContractUnavailable."""
        app = emulator.app
        contracts = (emulator.contract,) if isinstance(emulator.contract, str) else emulator.contract or ()
        for contract in contracts:
            app = Checked(app, load(contract), self.violations)
        return Journaled(Faulty(app, emulator.name, self.faults, who), emulator.name, self.journal)

    def publish(self, emulator: Emulator, address: str, app: ASGIApp) -> None:
        """From here on the emulator's hosts lead to this address, and are answered by this app."""
        self.addresses[emulator.name] = address
        self.hosts.update(dict.fromkeys(emulator.hosts, address))
        self.apps.update(dict.fromkeys(emulator.hosts, app))

    async def stop(self) -> None:
        """End them, the last started first. Idempotent."""
        while self._servers:
            await self._servers.pop().stop()
