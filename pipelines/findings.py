"""What was found when something outside the repository was looked at, and the command or the place that fixes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from pipelines.errors import CredentialsError, ProviderError, ProviderUnavailable

State = Literal["ok", "missing", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One prerequisite of deliveries."""

    subject: str
    """environment production-deploy, branch main, tags v*"""
    state: State
    says: str
    fix: str = ""
    """The command that fixes it, for an administrator; where no command can, the place to do it in. Empty for what is well."""

    def as_data(self) -> dict[str, str]:
        return {"subject": self.subject, "state": self.state, "says": self.says, "fix": self.fix}


def guarded(subject: str, ask: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What was found; one finding that is unknown, with the provider's words, where this token may not look or nobody answers."""
    try:
        return list(ask())
    except (CredentialsError, ProviderError, ProviderUnavailable) as error:
        return [Finding(subject=subject, state="unknown", says=f"cannot be read: {error.what}")]
