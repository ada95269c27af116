"""Telling people: every way is tried, and what did not work is said."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.errors import ProviderError, ShipmateError
from pipelines.roles import Message, Messenger

__all__ = ["PartlyTold", "tell"]


class PartlyTold(ProviderError):
    """Some people were told, others were not."""


def tell(message: Message, messengers: Sequence[Messenger]) -> list[str]:
    """Tell by every way; one line for each that failed, beginning with its name. No way at all is no failure.

    Raises ProviderError when there are ways and nobody was told.
    """
    failures: list[str] = []
    nobody = 0
    for messenger in messengers:
        try:
            messenger.tell(message)
        except ShipmateError as error:
            failures.append(f"{messenger.name}: {error}")
            nobody += not isinstance(error, PartlyTold)
    if messengers and nobody == len(messengers):
        raise ProviderError(
            f"nobody was told of {message.title!r}: " + " | ".join(failures),
            where="alerts",
            why="every way failed, each for its own reason",
            next_step="tell people yourself, then mend the ways above",
        )
    return failures
