"""Structured logs: one JSON object a line on standard output, with timestamp, level, message and context."""

from __future__ import annotations

import json
import logging
import math
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TextIO

VERBOSE = 5
_NUMBERS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}
_NUMBERS["verbose"] = VERBOSE
_DEPTH = 6

_NOTHING: Mapping[str, object] = MappingProxyType({})
_shared: ContextVar[Mapping[str, object]] = ContextVar("log_context", default=_NOTHING)


class Log:
    """A named logger that takes its context as keywords: `log.warn("cache is away", key=key)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def error(self, message: str, *, error: BaseException | None = None, **context: object) -> None:
        """Something failed for a user or an operator; `error` adds type, text and stack to the context."""
        self._write(logging.ERROR, message, error, context)

    def warn(self, message: str, *, error: BaseException | None = None, **context: object) -> None:
        """Something is wrong and was survived."""
        self._write(logging.WARNING, message, error, context)

    def info(self, message: str, **context: object) -> None:
        """An event that matters to an operator."""
        self._write(logging.INFO, message, None, context)

    def debug(self, message: str, **context: object) -> None:
        """Detail for finding a fault."""
        self._write(logging.DEBUG, message, None, context)

    def verbose(self, message: str, **context: object) -> None:
        """Everything else."""
        self._write(VERBOSE, message, None, context)

    def _write(self, level: int, message: str, error: BaseException | None, context: Mapping[str, object]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", message, exc_info=error, extra={"context": context})


class JsonFormatter(logging.Formatter):
    """Formats any record, ours or a library's, as one line of ASCII JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line without a line break in it, whatever the message and the context hold."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level_name(record.levelno),
            "message": _message(record),
            "context": self._context(record),
        }
        return json.dumps(line, allow_nan=False)

    def _context(self, record: logging.LogRecord) -> dict[str, object]:
        given = getattr(record, "context", {})
        context: dict[str, object] = {"logger": record.name, **_shared.get(), **given}
        if record.exc_info and record.exc_info[1] is not None:
            context["error"] = _described(record.exc_info[1])
        return {str(key): _plain(value, _DEPTH) for key, value in context.items()}


@contextmanager
def log_context(**context: object) -> Iterator[None]:
    """Add `context` to every line written inside the block, also by what it awaits."""
    token = _shared.set({**_shared.get(), **context})
    try:
        yield
    finally:
        _shared.reset(token)


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send every logger of the process to `stream` (standard output) as JSON, from `level` up."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_NUMBERS[level])


def level_name(number: int) -> str:
    """The name under which a level of Python's `logging` is written."""
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warn"
    if number >= logging.INFO:
        return "info"
    return "debug" if number >= logging.DEBUG else "verbose"


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        # A library's own faulty format string must not cost us the line.
        return str(record.msg)


def _described(error: BaseException) -> dict[str, object]:
    stack = "".join(traceback.format_exception(error))
    return {"type": type(error).__name__, "message": str(error), "stack": stack}


def _plain(value: object, depth: int) -> object:
    """`value` as JSON can carry it; what is nested deeper than `depth` levels becomes text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth and isinstance(value, Mapping):
        return {str(key): _plain(item, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, depth - 1) for item in value]
    return str(value)
