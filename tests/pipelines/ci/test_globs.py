from __future__ import annotations

import pytest

from pipelines.ci.globs import matches


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("apps/web/**", "apps/web/src/App.tsx", True),
        ("apps/web/**", "apps/web2/src/App.tsx", False),
        ("apps/web/**", "apps/web", False),
        ("**/*.md", "README.md", True),
        ("**/*.md", "docs/a/b.md", True),
        ("*.md", "docs/a.md", False),
        ("Makefile", "Makefile", True),
        ("Makefile", "apps/Makefile", False),
        ("apps/*/README.md", "apps/web/README.md", True),
        ("apps/*/README.md", "apps/web/docs/README.md", False),
        ("a?.txt", "ab.txt", True),
        ("a?.txt", "a/.txt", False),
        ("[a-c].py", "b.py", True),
        ("[!a-c].py", "b.py", False),
        ("[!a-c].py", "/.py", False),
        ("a.b", "axb", False),
        ("a+(b).py", "a+(b).py", True),
        ("apps/**/test_*.py", "apps/backend/tests/unit/test_x.py", True),
        ("apps/**/test_*.py", "apps/test_x.py", True),
        ("**", "anything/at\nall", True),
        ("[", "[", True),
    ],
)
def test_matches(glob: str, path: str, fits: bool) -> None:
    assert matches(path, [glob]) is fits


def test_no_glob_matches_nothing() -> None:
    assert not matches("README.md", [])
