"""What no tracked file may hold: keys, addresses of package indexes, places of one machine, marks of an unfinished merge.

The patterns are written so that this file does not match them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LARGEST = 2_000_000
"""Bytes: every clone pays for them."""


@dataclass(frozen=True)
class Rule:
    """A pattern and why it may not stand in the tree."""

    pattern: re.Pattern[bytes]
    why: str


def _rule(pattern: str, why: str) -> Rule:
    return Rule(re.compile(pattern.encode()), why)


RULES = (
    _rule(
        r"-----BEGIN [A-Z ]*PRIVATE KE[Y]-----\s+[A-Za-z0-9+/]{40}", "a private key: revoke it, it is in the history"
    ),
    _rule(r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pa[t]_\w{50}", "a GitHub token: revoke it, it is in the history"),
    _rule(r"\bAKI[A][0-9A-Z]{16}\b", "an AWS key: revoke it, it is in the history"),
    _rule(r"\bAIz[a][0-9A-Za-z_-]{35}\b", "a Google key: revoke it, it is in the history"),
    _rule(r"\bxox[abprs]-\d{8,}-[0-9A-Za-z-]{20}", "a Slack token: revoke it, it is in the history"),
    _rule(
        r"https?://(pypi|files|registry)[.](org|pythonhosted|npmjs)\b",
        "the address of a package index: a lock file holds for any",
    ),
    _rule(r"(?<![\w.])/(?:root|home/[a-z][\w-]*|Users/[A-Za-z][\w-]*)/[\w.]", "a place on one machine"),
    _rule(r"(?m)^(<{7}|>{7}) ", "a mark of an unfinished merge"),
)


def problems(root: Path) -> Iterator[str]:
    """`file:line: why` for everything found, in the files git tracks."""
    for name in _tracked(root):
        file = root / name
        if file.is_symlink():
            if not file.resolve().is_relative_to(root.resolve()):
                yield f"{name}: a link that leads out of the tree"
        elif file.is_file():
            yield from _problems_in(name, file)


def _problems_in(name: str, file: Path) -> Iterator[str]:
    if file.stat().st_size > LARGEST:
        yield f"{name}: {file.stat().st_size:,} bytes: keep it elsewhere, and fetch it by hash"
        return
    content = file.read_bytes()
    for rule in RULES:
        for match in rule.pattern.finditer(content):
            yield f"{name}:{content.count(10, 0, match.start()) + 1}: {rule.why}"


def _tracked(root: Path) -> list[str]:
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z"], capture_output=True, text=True, check=True
    ).stdout
    return [name for name in listed.split("\0") if name]


def main() -> int:
    found = list(problems(Path.cwd()))
    for line in found:
        sys.stdout.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
