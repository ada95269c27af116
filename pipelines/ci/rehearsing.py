"""Whether CI runs in a rehearsal, where some checks cannot be carried (`not_rehearsed` of a check)."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.overlay import is_loopback


def is_rehearsal(environ: Mapping[str, str]) -> bool:
    """By where GitHub is: a rehearsed one is on this machine.

    The runner sets the variable, and no workflow can give it another value
    (docs.github.com/actions/reference/workflows-and-actions/variables), as it could with a variable of ours.
    """
    return is_loopback(environ.get("GITHUB_SERVER_URL", ""))
