"""The edge of a world: the platform's domains, and the certificate authority that clients trust for them."""

from __future__ import annotations

from typing import Any

from rehearsal.emulators.capabilities import SERVER_TLS, SERVICE_FRONT, SITES
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.declaration import Declaration, WorldContext
from rehearsal.emulators.edge.app import PLATFORM_HOSTS, Edge


def _build(context: WorldContext) -> Edge:
    wanted = context.definition
    return Edge(
        context.root,
        context.need(SERVICE_FRONT),
        domains={s.host: ServiceName(s.project, s.region, s.name) for s in wanted.services},
        serve=context.need(SITES),
        hosts=(*wanted.public_hosts, *PLATFORM_HOSTS),
        servers=(wanted.mail_server.partition(":")[0],) if wanted.mail_server else (),
    )


def _facts(edge: Edge, context: WorldContext) -> dict[str, Any]:
    return {"edge": context.address, "ca": str(edge.ca_path), "spki": edge.leaf_spki}


EMULATOR = Declaration(
    name=Edge.name,
    build=_build,
    needs=(SERVICE_FRONT, SITES),
    offers={SERVER_TLS: lambda edge, context: edge.server_tls()},
    overlay=lambda edge, context: {"ca": str(edge.ca_path)},
    facts=_facts,
    in_snapshot=False,
)
