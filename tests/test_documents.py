"""Documents lead where they say: every link inside the tree, to a file or to a heading, has its target."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^(`{3,}).*?^\1", re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "*.md"], capture_output=True, text=True, check=True
    ).stdout
    return [
        ROOT / name for name in listed.splitlines() if (ROOT / name).is_file() and not name.endswith("CHANGELOG.md")
    ]


def links(document: Path) -> Iterator[str]:
    for link in LINK.findall(FENCED.sub("", document.read_text())):
        if not re.match(r"[a-z]+:", link):
            yield link


def anchors(document: Path) -> set[str]:
    """Of its headings, as GitHub makes them: lower case, without punctuation, blanks as hyphens."""
    headings = re.findall(r"^#{1,6} (.+)$", FENCED.sub("", document.read_text()), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_has_its_target(document: Path) -> None:
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / unquote(path)).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_links_of_a_document_are_seen() -> None:
    assert len(list(links(ROOT / "docs" / "ARCHITECTURE.md"))) > 20


def messages() -> list[tuple[str, list[str]]]:
    """Messages that TROUBLESHOOTING.md explains, each with its parts between what differs from case to case."""
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "docs/TROUBLESHOOTING.md").read_text(), re.MULTILINE)
    own = [row for row in rows if "(GitHub)" not in row and not re.match(r"`[A-Z]\w+Error`", row)]
    return [(span, re.split(r"…|\.\.\.", span)) for row in own for span in re.findall(r"`([^`]+)`", row)]


def strings() -> set[str]:
    """Every string of the code; what an f-string fills in is a NUL."""
    found = set()
    for folder in ("pipelines", "release", "rehearsal", "loadtests", "actions", "e2e"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.JoinedStr):
                    found.add("".join(str(v.value) if isinstance(v, ast.Constant) else "\0" for v in node.values))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return found


def test_every_message_that_is_explained_is_one_of_ours() -> None:
    known = strings()
    explained = messages()
    assert len(explained) > 50
    missing = [
        f"{message!r}: {part.strip()!r}"
        for message, parts in explained
        for part in parts
        if part.strip(" :,") and not any(part.strip(" :,") in text for text in known)
    ]
    assert missing == []
