"""What the commands share at the terminal: a context from the environment's variables, tables, a sign of life."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.delivery.context import Context
    from pipelines.manifest import Manifest


def context(manifest: Manifest, environment: str) -> Context:
    """A context with whatever access the terminal has: GITHUB_TOKEN, VERCEL_TOKEN, Google's default credentials."""
    from pipelines.delivery.context import open_context
    from pipelines.runtime import Runtime

    return open_context(manifest, environment, Runtime())


def require_access(context: Context, components: Sequence[str] = (), *, github: bool = False) -> None:
    """Everything that is missing to reach the providers of these components (all of them when none is named), in one error.

    `github`: whether GitHub is needed, too. Raises CredentialsError.
    """
    from pipelines.errors import CredentialsError

    providers = {t.provider for name, t in context.settings.targets.items() if not components or name in components}
    missing: list[CredentialsError] = []
    if github and context.github is None:
        missing.append(
            CredentialsError(
                "GITHUB_TOKEN is not set", next_step="export GITHUB_TOKEN=… (a fine-grained token is enough)"
            )
        )
    if "vercel" in providers and not context.credentials.vercel_token:
        missing.append(
            CredentialsError("VERCEL_TOKEN is not set", next_step="export VERCEL_TOKEN=… (vercel.com/account/tokens)")
        )
    if "cloud-run" in providers:
        try:
            context.credentials.google()
        except CredentialsError as error:
            missing.append(error)
    if missing:
        raise CredentialsError(
            "; ".join(error.what for error in missing),
            where=context.environment,
            why="; ".join(error.why for error in missing if error.why),
            next_step="; ".join(error.next_step for error in missing),
        )


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Aligned columns; empty ones are left out."""
    shown = [c for c in columns if any(row.get(c) for row in rows)]
    cells = [[str(row.get(c, "") or "") for c in shown] for row in rows]
    widths = [max(len(c), *(len(row[i]) for row in cells)) if cells else len(c) for i, c in enumerate(shown)]
    lines = ["  ".join(name.upper().ljust(w) for name, w in zip(shown, widths, strict=True))]
    lines += ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines)


def ago(moment: str, now: datetime) -> str:
    """How long ago an ISO 8601 time was, in its largest unit: `3 h ago`. As it stands where it is no such time."""
    from datetime import datetime

    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    seconds = (now - at).total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} ago"
    return "just now"


def asks() -> bool:
    """Whether someone can answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


MARKS = {"+": "green", "~": "yellow", "-": "red"}


def marked(text: str) -> str:
    """Lines that begin with a mark of a plan (+, ~, -) in its colour; `click.echo` takes colours off where no terminal reads."""
    import click

    return "\n".join(
        click.style(line, fg=MARKS[mark]) if line.lstrip()[1:2] == " " and (mark := line.lstrip()[0]) in MARKS else line
        for line in text.split("\n")
    )


@contextmanager
def busy(what: str) -> Iterator[None]:
    """On a terminal, after two seconds: what is going on and for how long."""
    if not sys.stderr.isatty():
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_tick, args=(what, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _tick(what: str, over: threading.Event) -> None:
    started = time.monotonic()
    while not over.wait(2.0 if time.monotonic() - started < 1 else 0.5):
        sys.stderr.write(f"\r… {what} ({time.monotonic() - started:.0f} s)\x1b[K")
        sys.stderr.flush()
    sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()
