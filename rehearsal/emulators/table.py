"""The emulators there are. One more is one folder and one line here."""

from __future__ import annotations

from rehearsal.emulators.app_store import declaration as app_store
from rehearsal.emulators.eas import declaration as eas
from rehearsal.emulators.google_play import declaration as google_play
from rehearsal.emulators.sentry import declaration as sentry
from rehearsal.emulators.slack import declaration as slack

EMULATORS = (app_store.EMULATOR, eas.EMULATOR, google_play.EMULATOR, sentry.EMULATOR, slack.EMULATOR)
"""Those that are declared; world/composition.py still builds the older ones by name."""
