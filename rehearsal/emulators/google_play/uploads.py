"""Resumable uploads: sessions that take a file in pieces, each from where the last ended.

https://developers.google.com/android-publisher/upload and Google Cloud Storage's page on resumable uploads describe them:
pieces but the last are multiples of 256 KiB, and of a broken one only whole multiples are kept.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rehearsal.emulators.google_play.state import Bundle

UNIT = 256 * 1024
"""Bytes."""
_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


class SessionGone(Exception):
    """No session has that id, or its time is over: the upload has to be started again."""


class BadRange(ValueError):
    """A Content-Range that cannot be meant."""


class ContentRange(NamedTuple):
    """Of a request. `first` is None where it only asks how much was taken; `total` is None for `*`. Bytes."""

    first: int | None
    last: int
    total: int | None

    @classmethod
    def parse(cls, header: str) -> ContentRange:
        """Raises BadRange."""
        found = _RANGE.fullmatch(header.strip())
        if found is None or (found[1] is not None and int(found[2]) < int(found[1])):
            raise BadRange(f"Invalid Content-Range header: '{header}'.")
        total = None if found[3] == "*" else int(found[3])
        if found[1] is None:
            return cls(None, -1, total)
        return cls(int(found[1]), int(found[2]), total)

    @property
    def ends(self) -> bool:
        """Whether these are the last bytes."""
        return self.total is not None and self.last + 1 == self.total


@dataclass(kw_only=True)
class Session:
    """One upload under way. `received` are the bytes in `file`; `bundle` is set when it is complete.

    Its id is its credential: anyone who knows it goes on as `user`, who began, also when their token has run out.
    """

    id: str
    user: str
    edit: str
    file: Path
    began: float
    received: int = 0
    bundle: Bundle | None = None
    turn: int = 0
    """Rises with each piece: a request that came before it, and whose end is noticed late, has no more say."""

    def begin_piece(self, first: int) -> int:
        """Go on from an offset; the turn of the request that brings it."""
        self.received = first
        self.turn += 1
        return self.turn

    def keep_whole_units(self, turn: int) -> None:
        """Forget what came of a piece beyond its last whole unit."""
        if turn == self.turn:
            self.received -= self.received % UNIT

    @property
    def range(self) -> dict[str, str]:
        """The Range header that tells a client where to go on; absent when nothing was taken."""
        kept = self.received - self.received % UNIT
        return {"range": f"bytes=0-{kept - 1}"} if kept else {}


class Uploads:
    """Sessions and their files. A session is lost with its world, as with its time: the client begins again."""

    def __init__(self, root: Path, clock: Callable[[], float], lifetime: float) -> None:
        self._root = root
        self._clock = clock
        self._lifetime = lifetime
        self._sessions: dict[str, Session] = {}
        self.break_at: int | None = None
        """The connection that brings the byte at this offset of an upload is broken there, once."""

    def new_file(self) -> Path:
        """A path for bytes to come; the caller removes it."""
        self._root.mkdir(parents=True, exist_ok=True)
        return self._root / secrets.token_hex(16)

    def begin(self, user: str, edit: str) -> Session:
        """A session for a bundle of an edit."""
        number = secrets.token_urlsafe(48)
        session = Session(id=number, user=user, edit=edit, file=self.new_file(), began=self._clock())
        session.file.touch()
        self._sessions[session.id] = session
        return session

    def session(self, number: str, edit: str) -> Session:
        """Raises SessionGone."""
        session = self._sessions.get(number)
        if session is None or session.edit != edit or session.began + self._lifetime <= self._clock():
            raise SessionGone(number)
        return session

    def breaks_within(self, first: int, count: int) -> int | None:
        """How many of the `count` bytes from `first` on arrive before the connection is broken; None when all do."""
        if self.break_at is None or not first <= self.break_at < first + count:
            return None
        allowed, self.break_at = self.break_at - first, None
        return allowed

    def clear(self) -> None:
        """End every session and remove its file."""
        for session in self._sessions.values():
            session.file.unlink(missing_ok=True)
        self._sessions.clear()
