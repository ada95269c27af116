"""JUnit files: how many tests ran, and where in our files those that failed did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from pipelines.ci.findings import Finding, Reader, places

LARGEST = 50_000_000
"""Bytes of one file that are read; a larger one is named instead."""


@dataclass(frozen=True, kw_only=True)
class Tests:
    """What the reports of one check add up to."""

    ran: int = 0
    failed: int = 0
    skipped: int = 0
    files: int = 0
    """Reports found."""


def read(root: Path, globs: Sequence[str], since: float, reader: Reader) -> tuple[Tests, list[Finding]]:
    """The reports that were written after `since` (seconds since 1970): older ones tell of another run."""
    tests, findings = Tests(), []
    for file in sorted({path for glob in globs for path in root.glob(glob)}):
        if not file.is_file() or file.stat().st_mtime < since - 1:
            continue
        for case in _cases(file):
            failed, skipped = _problem(case) is not None, case.find("skipped") is not None
            tests = Tests(
                ran=tests.ran + (not skipped),
                failed=tests.failed + failed,
                skipped=tests.skipped + skipped,
                files=tests.files,
            )
            if failed:
                findings.append(_finding(case, reader))
        tests = Tests(ran=tests.ran, failed=tests.failed, skipped=tests.skipped, files=tests.files + 1)
    return tests, findings


def _cases(file: Path) -> Iterator[ElementTree.Element]:
    """Its test cases; a file that is cut off or no XML gives those before the damage, and one that says so."""
    if file.stat().st_size > LARGEST:
        yield _broken(file, f"larger than {LARGEST} bytes")
        return
    try:
        for _, element in ElementTree.iterparse(file):  # noqa: S314 - expat bounds what entities may grow to
            if element.tag == "testcase":
                yield element
    except ElementTree.ParseError as error:
        yield _broken(file, f"not XML: {error}")


def _broken(file: Path, why: str) -> ElementTree.Element:
    case = ElementTree.Element("testcase", name=file.name)
    ElementTree.SubElement(case, "error", message=f"the report cannot be read ({why})")
    return case


def _problem(case: ElementTree.Element) -> ElementTree.Element | None:
    failure = case.find("failure")
    return failure if failure is not None else case.find("error")


def _finding(case: ElementTree.Element, reader: Reader) -> Finding:
    problem = _problem(case)
    text = (problem.text or "") if problem is not None else ""
    message = (problem.get("message") or "") if problem is not None else ""
    own, within = _own_file(case, reader)
    file, line = _place(case, own, text, reader)
    title = " › ".join(filter(None, [within, case.get("name") or ""]))
    return Finding(file=file, line=line, title=title, message=message or text[-1000:] or "failed")


def _place(case: ElementTree.Element, own: str, text: str, reader: Reader) -> tuple[str, int]:
    """The test's own line where the trace has it; else the last of our files in the trace; else the file alone."""
    trace = list(places(text, reader))
    inside = [place for place in trace if place[0] == own]
    if inside or trace:
        return (inside or trace)[-1]
    number = case.get("line") or ""
    return own, int(number) if number.isdigit() else 0


def _own_file(case: ElementTree.Element, reader: Reader) -> tuple[str, str]:
    """The file of a test, and its class in there.

    By the attribute `file`; vitest writes the file as `classname`, pytest a dotted module with the class below, Node the word "test".
    """
    classname = case.get("classname") or ""
    for name in (case.get("file") or "", classname):
        found = reader.place(name)
        if found:
            return found, ""
    parts = classname.split(".")
    for end in range(len(parts), 0, -1):
        found = reader.place("/".join(parts[:end]) + ".py")
        if found:
            return found, " › ".join(parts[end:])
    return "", "" if classname == "test" else classname
