"""Notes: stored, listed, found by meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from backend.database import Connection, Database
from backend.embedding import MODEL, embed

MAX_LENGTH = 4000
PAGE = 50
LEAST_SCORE = 0.15
"""Below it, two vectors are as near as chance puts them: unrelated notes stay under 0.1."""

_INSERT = "INSERT INTO notes (body) VALUES (%s) RETURNING id, body, summary, created_at"
_EMBED = """
    INSERT INTO note_embeddings (note_id, model, embedding)
    SELECT id, %(model)s, %(vector)s::vector FROM notes WHERE id = %(note)s
    ON CONFLICT (note_id, model) DO UPDATE SET embedding = EXCLUDED.embedding
"""
_GET = "SELECT id, body, summary, created_at FROM notes WHERE id = %s"
_DELETE = "DELETE FROM notes WHERE id = %s"
_NEWEST = """
    SELECT id, body, summary, created_at FROM notes
    WHERE %(before)s::uuid IS NULL
       OR (created_at, id) < (SELECT created_at, id FROM notes WHERE id = %(before)s)
    ORDER BY created_at DESC, id DESC LIMIT %(limit)s
"""
_NEAREST = """
    SELECT n.id, n.body, n.summary, n.created_at, 1 - (e.embedding <=> %(vector)s::vector) AS score
    FROM note_embeddings AS e JOIN notes AS n ON n.id = e.note_id
    WHERE e.model = %(model)s
    ORDER BY e.embedding <=> %(vector)s::vector LIMIT %(limit)s
"""
_WITHOUT_VECTOR = """
    SELECT n.id FROM notes AS n
    LEFT JOIN note_embeddings AS e ON e.note_id = n.id AND e.model = %(model)s
    WHERE e.note_id IS NULL ORDER BY n.created_at DESC LIMIT %(limit)s
"""
_SUMMARISE = "UPDATE notes SET summary = %s WHERE id = %s"


class NoteRefusedError(ValueError):
    """The text cannot be a note; the message says why, for the person who wrote it."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """A stored note. `summary` is None until a worker has written it."""

    id: UUID
    text: str
    summary: str | None
    created_at: datetime

    def as_json(self) -> dict[str, object]:
        """The note as the API shows it; the time in RFC 3339, UTC."""
        moment = self.created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"id": str(self.id), "text": self.text, "summary": self.summary, "createdAt": moment}


@dataclass(frozen=True, kw_only=True)
class Match:
    """A note found by a search, with its cosine similarity to the query (-1 to 1)."""

    note: Note
    score: float

    def as_json(self) -> dict[str, object]:
        """The note with its score."""
        return {**self.note.as_json(), "score": round(self.score, 4)}


class NoteStore:
    """The notes in PostgreSQL. Every method raises DatabaseUnavailableError when it cannot be reached."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, text: str) -> Note:
        """Store a note with its vector, both or neither. Raises NoteRefusedError."""
        text = checked(text)
        vector = embed(text)
        async with self._database.connection() as connection, connection.transaction():
            cursor = await connection.execute(_INSERT, (text,))
            (row,) = await cursor.fetchall()
            note = _note(row)
            await _store_vector(connection, note.id, vector)
        return note

    async def get(self, identifier: UUID) -> Note | None:
        """The note, or None."""
        async with self._database.connection() as connection:
            cursor = await connection.execute(_GET, (identifier,))
            row = await cursor.fetchone()
        return None if row is None else _note(row)

    async def remove(self, identifier: UUID) -> bool:
        """Delete the note and its vectors; False when there was none."""
        async with self._database.connection() as connection:
            cursor = await connection.execute(_DELETE, (identifier,))
        return cursor.rowcount > 0

    async def newest(self, *, limit: int = PAGE, before: UUID | None = None) -> list[Note]:
        """Up to `limit` notes, newest first; only those older than the note `before` when it is given."""
        async with self._database.connection() as connection:
            cursor = await connection.execute(_NEWEST, {"before": before, "limit": limit})
            return [_note(row) for row in await cursor.fetchall()]

    async def search(self, query: str, *, limit: int = 10) -> list[Match]:
        """Up to `limit` notes nearest in meaning, best first. Raises NoteRefusedError for a blank query."""
        values = {"vector": _literal(embed(checked(query))), "model": MODEL, "limit": limit}
        async with self._database.connection() as connection:
            cursor = await connection.execute(_NEAREST, values)
            rows = await cursor.fetchall()
        matches = [Match(note=_note(row[:4]), score=float(row[4])) for row in rows]
        return [match for match in matches if match.score >= LEAST_SCORE]

    async def describe(self, identifier: UUID, *, summary: str) -> None:
        """Set the note's summary; nothing happens when the note is gone."""
        async with self._database.connection() as connection:
            await connection.execute(_SUMMARISE, (summary, identifier))

    async def embed_again(self, note: Note) -> None:
        """Store the vector of the current model; nothing happens when the note is gone."""
        async with self._database.connection() as connection:
            await _store_vector(connection, note.id, embed(note.text))

    async def without_vector(self, *, limit: int) -> list[UUID]:
        """Notes that the current model has not embedded, newest first."""
        async with self._database.connection() as connection:
            cursor = await connection.execute(_WITHOUT_VECTOR, {"model": MODEL, "limit": limit})
            return [row[0] for row in await cursor.fetchall()]


def checked(text: str) -> str:
    """`text` without white space around it. Raises NoteRefusedError when it is blank, too long or not storable."""
    text = text.strip()
    if not text:
        raise NoteRefusedError("the text is blank")
    if len(text) > MAX_LENGTH:
        raise NoteRefusedError(f"the text has {len(text)} characters, at most {MAX_LENGTH} are allowed")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        # PostgreSQL stores neither.
        raise NoteRefusedError("the text holds a NUL or half a surrogate pair")
    return text


async def _store_vector(connection: Connection, identifier: UUID, vector: list[float]) -> None:
    await connection.execute(_EMBED, {"note": identifier, "model": MODEL, "vector": _literal(vector)})


def _literal(vector: list[float]) -> str:
    return "[" + ",".join(f"{value:.7g}" for value in vector) + "]"


def _note(row: Sequence[Any]) -> Note:
    identifier, body, summary, created_at = row
    return Note(id=identifier, text=body, summary=summary, created_at=created_at)
