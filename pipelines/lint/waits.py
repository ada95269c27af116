"""No fixed waits in browser tests: one that is too short makes a test flaky, one that is too long makes every run slow.

A test waits for what a user would see (`expect(...)`, `wait_for()`); Playwright asks again until it is there.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = "e2e"
_CALLS = {"sleep", "wait_for_timeout"}
# In text: a state of loading that means half a second without requests, and JavaScript that waits by the clock.
_TEXT = re.compile(r"^networkidle$|\bsetTimeout\(")


def problems(root: Path) -> Iterator[str]:
    """`file:line: why` for everything found below the folder of the browser tests."""
    for file in sorted((root / FOLDER).rglob("*.py")):
        for line, what in _waits(ast.parse(file.read_text(), filename=str(file))):
            yield f"{file.relative_to(root)}:{line}: {what} waits a fixed time; wait for what a user would see"


def _waits(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _CALLS:
                yield node.lineno, f"{name}()"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (found := _TEXT.search(node.value)):
            yield node.lineno, found[0].rstrip("(")


def main() -> int:
    """1 when something was found."""
    found = list(problems(Path.cwd()))
    for line in found:
        sys.stdout.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
