"""Every way to fail: one class per outcome, one exit code each, and the next step in every message.

Exit codes (also in docs/TROUBLESHOOTING.md, held equal by a test):

    0   done, or done already
    1   a bug in the suite: shows a trace
    2   wrong use of the command line
    3   ManifestError       shipmate.yml is wrong
    4   InputError          an input names something that does not exist or is not allowed
    5   CredentialsError    a secret is missing, expired or refused
    6   RefusedError        a rule says no (approval, red CI, moved tag, incompatible schema, ...)
    7   CheckFailed         something observed of a running system is not as it must be
    8   ProviderError       a provider answered with a failure
    9   ProviderUnavailable a provider could not be reached, or kept failing, within the retries allowed
    10  ConflictError       someone else changed the same thing meanwhile
    11  LocalError          something of this machine (disk full, port in use, tool missing)
    12  ReleaseError        a release cannot be made or finished as asked
    13  InvalidRun          a load test says nothing: the generator was too slow, or a part of it is missing
    130 Interrupted         Ctrl-C
"""

from __future__ import annotations

import errno
from typing import ClassVar


class ShipmateError(Exception):
    """A failure that is not a bug: `what` happened, `where`, the likely `why`, and what to do `next_step`."""

    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Failed"

    def __init__(self, what: str, *, where: str = "", why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.next_step = next_step

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.why:
            lines.append(f"  why:  {self.why}")
        if self.next_step:
            lines.append(f"  next: {self.next_step}")
        return "\n".join(lines)


class ManifestError(ShipmateError):
    exit_code = 3
    title = "Bad manifest"


class InputError(ShipmateError):
    exit_code = 4
    title = "Bad input"


class CredentialsError(ShipmateError):
    exit_code = 5
    title = "Credentials missing or refused"


class RefusedError(ShipmateError):
    exit_code = 6
    title = "Refused"


class CheckFailed(ShipmateError):
    exit_code = 7
    title = "Check failed"


class ProviderError(ShipmateError):
    exit_code = 8
    title = "Provider failed"


class ProviderUnavailable(ShipmateError):
    exit_code = 9
    title = "Provider unavailable"


class ConflictError(ShipmateError):
    exit_code = 10
    title = "Changed meanwhile"


class LocalError(ShipmateError):
    exit_code = 11
    title = "Local error"


class ReleaseError(ShipmateError):
    exit_code = 12
    title = "Release not finished"


class InvalidRun(ShipmateError):
    exit_code = 13
    title = "Invalid run"


class Interrupted(ShipmateError):
    exit_code = 130
    title = "Interrupted"


_AGAIN = "then run this again: it finishes what was started"
_MACHINE = {
    errno.ENOSPC: ("the disk is full", f"make room (`df -h`), {_AGAIN}"),
    errno.EDQUOT: ("the disk quota is used up", f"make room (`quota`), {_AGAIN}"),
    errno.EFBIG: (
        "a file grew larger than this machine allows",
        f"raise the limit (`ulimit -f`) or make room, {_AGAIN}",
    ),
    errno.EROFS: ("the file system is read-only", f"write elsewhere or mount it anew, {_AGAIN}"),
    errno.EMFILE: ("too many files are open", f"raise the limit (`ulimit -n`), {_AGAIN}"),
    errno.EADDRINUSE: ("the port is in use", f"see who holds it (`ss -ltnp`), {_AGAIN}"),
}


def of_machine(error: OSError) -> LocalError | None:
    """The LocalError for what this machine lacks; None for any other OSError, which is a bug."""
    message = _MACHINE.get(error.errno or 0)
    if message is None:
        return None
    return LocalError(message[0], where=str(error.filename or ""), why=str(error), next_step=message[1])
