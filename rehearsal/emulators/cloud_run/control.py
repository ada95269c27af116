"""What is known to differ at Cloud Run from hour to hour, and may be set in a world."""

from __future__ import annotations

from rehearsal.emulators.cloud_run.front import Front


class Control:
    """Methods that `POST /_control/cloud-run/<method>` calls."""

    def __init__(self, front: Front) -> None:
        self._front = front

    def lag(self, seconds: float, share: float = 0.5) -> None:
        """From now on, have `share` of the requests go where they went before for so many seconds after a change of the traffic."""
        self._front.lag.seconds, self._front.lag.share = seconds, share
