"""What a job that migrates is asked to do, as one of its arguments."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pipelines.errors import InputError

JOB = "pipelines.delivery.migrations.job"
"""The module that carries it out."""
DATABASE, READING = "MIGRATION_DATABASE_URL", "MIGRATION_READ_DATABASE_URL"
"""Variables: the address that migrations run against, and that of a user who may only read, where there is one."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be done. `only_fit`: ask whether what is due fits the rows, and change nothing."""

    component: str
    phases: tuple[str, ...]
    release: str
    serving: tuple[str, ...]
    only_fit: bool = False

    def written(self) -> str:
        """As an argument: the same order is the same text."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Order:
        """The reverse of `written`. Raises InputError."""
        try:
            found = json.loads(text)
            return cls(
                component=str(found["component"]),
                phases=tuple(found["phases"]),
                release=str(found["release"]),
                serving=tuple(found["serving"]),
                only_fit=bool(found["only_fit"]),
            )
        except (ValueError, LookupError, TypeError) as error:
            raise InputError(
                f"{text[:200]!r} is no order to migrate",
                why="it is of another version of the suite than the image",
                next_step="build the image of the release again",
            ) from error
