"""The emulators there are. One more is one folder and one line here; what they need of each other orders them."""

from __future__ import annotations

from typing import Any

from rehearsal.emulators.app_store import declaration as app_store
from rehearsal.emulators.cloud_run import declaration as cloud_run
from rehearsal.emulators.declaration import Declaration
from rehearsal.emulators.eas import declaration as eas
from rehearsal.emulators.edge import declaration as edge
from rehearsal.emulators.google_auth import declaration as google_auth
from rehearsal.emulators.google_play import declaration as google_play
from rehearsal.emulators.registry import declaration as registry
from rehearsal.emulators.resource_manager import declaration as resource_manager
from rehearsal.emulators.secret_manager import declaration as secret_manager
from rehearsal.emulators.sentry import declaration as sentry
from rehearsal.emulators.service_usage import declaration as service_usage
from rehearsal.emulators.slack import declaration as slack
from rehearsal.emulators.smtp import declaration as smtp
from rehearsal.emulators.vercel import declaration as vercel

EMULATORS: tuple[Declaration[Any], ...] = (
    google_auth.SECURITY_TOKEN_SERVICE,
    google_auth.IAM_CREDENTIALS,
    google_auth.IAM,
    registry.EMULATOR,
    registry.DOCKER_HUB,
    registry.ARTIFACT_REGISTRY,
    resource_manager.EMULATOR,
    secret_manager.EMULATOR,
    service_usage.EMULATOR,
    cloud_run.EMULATOR,
    vercel.EMULATOR,
    edge.EMULATOR,
    smtp.EMULATOR,
    app_store.EMULATOR,
    eas.EMULATOR,
    google_play.EMULATOR,
    sentry.EMULATOR,
    slack.EMULATOR,
)
