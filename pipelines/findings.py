"""What was found when something outside the repository was looked at, and the command or the place that fixes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "missing", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a delivery stands on."""

    subject: str
    """environment production-deploy, branch main, tags v*"""
    state: State
    says: str
    mend: str = ""
    """The command that fixes it, for an administrator."""

    def as_data(self) -> dict[str, str]:
        return {"subject": self.subject, "state": self.state, "says": self.says, "mend": self.mend}
