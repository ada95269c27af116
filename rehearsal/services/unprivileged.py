"""Postgres refuses to run as root: how a root world runs it as someone else.

The other user may have no way into the folders of root (a checkout or a cache under /root, a virtual environment).
There the process keeps one capability, to pass by the permissions of files; setpriv(1) arranges it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from rehearsal.services.availability import ServiceUnavailable

_NOBODY = 65534
_OTHERS_MAY_PASS = 0o001


def command_as_other(argv: Sequence[str], *, reaching: Sequence[Path]) -> list[str]:
    """`argv` to be run as a user that is not root; unchanged for everyone but root.

    `reaching` are the paths it has to get to. The kernel ends the process with its parent (setpriv sets that again, since
    a change of user takes it away). Raises ServiceUnavailable when setpriv is missing.
    """
    if os.geteuid() != 0:
        return list(argv)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ServiceUnavailable("Postgres does not run as root: install setpriv (`apt-get install util-linux`)")
    options = [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--pdeathsig=KILL"]
    if not all(_is_open(path) for path in reaching):
        options += ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]
    return [setpriv, *options, "--", *argv]


def give_away(folder: Path) -> None:
    """Make the folder and all in it the other user's, when this is root."""
    if os.geteuid() != 0:
        return
    for place, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(place, name), _NOBODY, _NOBODY, follow_symlinks=False)


def _is_open(path: Path) -> bool:
    """Whether any user may pass through every folder above `path`."""
    return all(parent.stat().st_mode & _OTHERS_MAY_PASS for parent in path.resolve().parents)
