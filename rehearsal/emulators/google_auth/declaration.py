"""Google's token services and IAM in a world: one organisation, whose tokens every other emulator of Google asks about."""

from __future__ import annotations

from rehearsal.emulators.capabilities import ALLOWS, AUTHORISE, GOOGLE_TOKENS, IDENTITY_PROVIDER, OPERATOR
from rehearsal.emulators.declaration import Declaration, WorldContext
from rehearsal.emulators.google_auth import seeding
from rehearsal.emulators.google_auth.app import Iam, IamCredentials, SecurityTokenService
from rehearsal.emulators.google_auth.policy import Policy
from rehearsal.emulators.google_auth.state import Tokens

_DAY = 86_400.0


def _policy(context: WorldContext, *, issuer: str = "", repository_id: int = 0, owner_id: int = 0) -> Policy:
    apps = context.definition.apps
    trusted = seeding.TrustedWorkflows(
        repository_id=repository_id, owner_id=owner_id, files=seeding.DEPLOYING, tags=apps.tags if apps else ""
    )
    return seeding.google_policy(context.definition, issuer, trusted=trusted)


def _build(context: WorldContext) -> SecurityTokenService:
    """Lets nobody in before it is seeded: GitHub's address is not known yet."""
    return SecurityTokenService(Tokens(_policy(context), context.need(IDENTITY_PROVIDER).keys))


def _seed(service: SecurityTokenService, context: WorldContext) -> None:
    provider = context.need(IDENTITY_PROVIDER)
    service.tokens.policy = _policy(
        context, issuer=provider.issuer, repository_id=provider.repository_id, owner_id=provider.owner_id
    )


def _terminal(service: SecurityTokenService, _context: WorldContext) -> dict[str, str]:
    """What a person who logged in to Google has."""
    return {"GOOGLE_OAUTH_ACCESS_TOKEN": service.tokens.access_token(seeding.OPERATOR, lifetime=_DAY)}


SECURITY_TOKEN_SERVICE = Declaration(
    name=SecurityTokenService.name,
    build=_build,
    needs=(IDENTITY_PROVIDER,),
    offers={
        GOOGLE_TOKENS: lambda service, context: service.tokens,
        AUTHORISE: lambda service, context: service.tokens.authorise,
        ALLOWS: lambda service, context: service.tokens.allows,
        OPERATOR: lambda service, context: seeding.OPERATOR,
    },
    seed=_seed,
    terminal=_terminal,
    in_snapshot=False,
)
IAM_CREDENTIALS = Declaration(
    name=IamCredentials.name,
    build=lambda context: IamCredentials(context.need(GOOGLE_TOKENS)),
    needs=(GOOGLE_TOKENS,),
    in_snapshot=False,
)
IAM = Declaration(
    name=Iam.name, build=lambda context: Iam(context.need(GOOGLE_TOKENS)), needs=(GOOGLE_TOKENS,), in_snapshot=False
)
