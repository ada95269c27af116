"""Why a commit counts or does not, and why a version comes next, as data; wording.py says it in words."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class Reason(Enum):
    """Why a commit raises what it raises."""

    OWN_MESSAGE = auto()
    """By what its message says, and what it reverts."""
    UNREADABLE = auto()
    """Its message is no Conventional Commit, and nothing lets it count."""
    SKIPPED = auto()
    """Its message says [skip release]."""
    SKIPPED_BY_MERGE = auto()
    """The message of the merge that brought it does."""
    OTHER_COMPONENT = auto()
    """It changes nothing of the component."""
    REVERTED = auto()
    """A later commit reverts it."""
    COVERED_BY_MERGE = auto()
    """The title of the merge that brought it counts for it."""
    MERGE_TITLE = auto()
    """A merge, by the title of its pull request or a footer of its message."""
    MERGE_WITHOUT_TITLE = auto()
    """A merge whose title says nothing that counts."""
    MERGE_OF_COUNTED = auto()
    """A merge whose commits raise as much themselves."""


LEFT_OUT = frozenset({Reason.OTHER_COMPONENT, Reason.SKIPPED, Reason.SKIPPED_BY_MERGE})
"""Commits that are no part of a release, whatever they change: they do not make a first version."""


class Because(NamedTuple):
    """A reason with what it names."""

    reason: Reason
    name: str = ""
    """The component, the merge (`#7` or a short id) or the id of the revert."""
    reverts: tuple[str, ...] = ()
    """Ids of the commits that this one reverts."""


class Outcome(Enum):
    """Why a version comes next, or none."""

    NO_COMMITS = auto()
    NOTHING_COUNTS = auto()
    FIRST_VERSION = auto()
    CHANGES = auto()
    PRERELEASE_IS_OUT = auto()
    """A pre-release of the version is out already."""
    CHANNEL_HAS_ALL = auto()
    """Nothing that counts came after the newest pre-release of the channel."""
