"""An answer 429: neither well nor unwell. It is waited out for a while, and what is refused even then is reported as such."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipelines import faults
from pipelines.checks.report import Result
from pipelines.http import Http

STATUS = 429
PATIENCE = 60.0
"""Seconds that a check waits altogether, as the manifest counts them: a limit by the minute is over by then."""
_LEAST = 1.0


def wait_asked(headers: Mapping[str, str]) -> float:
    """Seconds that an answer 429 asks to wait; 0 when it does not say. `headers` must look names up case-insensitively."""
    fault = faults.of_status("GET", STATUS, headers, "")
    return (fault.wait if fault else None) or 0.0


def waited_out(ask: Callable[[], Result], http: Http) -> Result:
    """What `ask` finds once no rate limit refuses it, or the last refusal when it asks for more patience than there is."""
    waited, result = 0.0, ask()
    while result.limited and not result.failed:
        wait = max(result.retry_after, _LEAST)
        if waited + wait > PATIENCE:
            break
        http.policy.sleep(wait * http.policy.scale)
        waited += wait
        result = ask()
    return result
