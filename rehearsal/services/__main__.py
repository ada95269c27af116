"""`python -m rehearsal.services`: find or fetch Postgres, Redis, a browser and the tests' peers, and make the template database."""

from __future__ import annotations

import sys
from collections.abc import Callable

from rehearsal.services import browser, peers, postgres, postgres_program, redis
from rehearsal.services.availability import ServiceUnavailable


def _postgres() -> str:
    program = postgres_program.find()
    postgres.make_template(program)
    return f"{program.version} with pgvector, {program.origin}, {program.bin}"


def _redis() -> str:
    program = redis.find()
    return f"{program.version}, {program.origin}, {program.path}"


def _browser() -> str:
    found = browser.get()
    return f"Chromium {found.version}, {found.origin}, {found.path}"


def _peers() -> str:
    """Only tests use them: where they cannot be had it is reported, and is no failure."""
    try:
        return ", ".join(str(path) for path in peers.get())
    except ServiceUnavailable as problem:
        return f"without {', '.join(peers.missing())}, which only tests use. {problem}"


SERVICES: dict[str, Callable[[], str]] = {"postgres": _postgres, "redis": _redis, "browser": _browser, "peers": _peers}


def main() -> int:
    """A line for each service; exit 1, after trying all, when one that a rehearsal needs could not be had."""
    failed = 0
    for name, look in SERVICES.items():
        try:
            print(f"{name}: {look()}")
        except ServiceUnavailable as problem:
            print(f"{name}: {problem}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
