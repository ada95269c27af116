"""Long-running operations: what a change answers at once, and how it ends."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rehearsal.emulators.google.errors import GoogleError, not_found

_LONGEST_WAIT = 60.0


@dataclass(kw_only=True)
class Operation:
    """`metadata` gives the resource as it is now; `result` or `error` is set when it is done."""

    name: str
    metadata: Callable[[], dict[str, Any]]
    result: dict[str, Any] | None = None
    error: GoogleError | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def succeed(self, result: dict[str, Any]) -> None:
        """End it with the resource."""
        self.result = result
        self.done.set()

    def fail(self, error: GoogleError) -> None:
        """End it with an error."""
        self.error = error
        self.done.set()

    def json(self) -> dict[str, Any]:
        """The API's Operation."""
        body: dict[str, Any] = {"name": self.name, "metadata": self.metadata()}
        if self.done.is_set():
            body["done"] = True
        if self.error is not None:
            body["error"] = {"code": self.error.number, "message": self.error.message}
        elif self.result is not None:
            body["response"] = self.result
        return body


class Operations:
    """Every operation since the start of the world."""

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}

    def begin(self, parent: str, metadata: Callable[[], dict[str, Any]]) -> Operation:
        """A new one under `projects/P/locations/L`."""
        operation = Operation(name=f"{parent}/operations/{uuid.uuid4()}", metadata=metadata)
        self._operations[operation.name] = operation
        return operation

    def get(self, name: str) -> Operation:
        """Raises GoogleError NOT_FOUND."""
        if name not in self._operations:
            raise not_found(name)
        return self._operations[name]

    async def wait(self, name: str, seconds: float) -> Operation:
        """The operation when it is done, or as it is after `seconds`."""
        operation = self.get(name)
        try:
            await asyncio.wait_for(operation.done.wait(), min(seconds, _LONGEST_WAIT))
        except TimeoutError:
            return operation
        return operation

    def all(self, parent: str) -> list[Operation]:
        """Those of a location, newest first."""
        return [o for name, o in reversed(self._operations.items()) if name.startswith(f"{parent}/operations/")]

    def delete(self, name: str) -> None:
        """Forget the outcome; what it does goes on."""
        self.get(name)
        del self._operations[name]

    def clear(self) -> None:
        """Forget all."""
        self._operations.clear()
