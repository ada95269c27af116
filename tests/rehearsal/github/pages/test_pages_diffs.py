"""Diffs as rows, with what checks say between them."""

from __future__ import annotations

from rehearsal.github.checks.state import CheckAnnotation
from rehearsal.github.git.history import FileChange
from rehearsal.github.pages import diffs

PATCH = """@@ -1,3 +1,4 @@ def f():
 same
-old
+new
+more
 end
\\ No newline at end of file
@@ -10 +11 @@
-a
+b"""


def change(patch: str | None, path: str = "a.py") -> FileChange:
    return FileChange(path=path, previous_path=None, status="modified", sha="0", additions=0, deletions=0, patch=patch)


def remark(line: int) -> diffs.Remark:
    note = CheckAnnotation(path="a.py", start_line=line, end_line=line, level="failure", message="x")
    return diffs.Remark(check="tests", annotation=note)


def test_every_line_has_its_numbers() -> None:
    found = [(row.kind, row.old, row.new, row.text) for row in diffs.read(change(PATCH)).rows]
    assert found == [
        ("hunk", None, None, "@@ -1,3 +1,4 @@ def f():"),
        ("same", 1, 1, "same"),
        ("del", 2, None, "old"),
        ("add", None, 2, "new"),
        ("add", None, 3, "more"),
        ("same", 3, 4, "end"),
        ("same", None, None, "\\ No newline at end of file"),
        ("hunk", None, None, "@@ -10 +11 @@"),
        ("del", 10, None, "a"),
        ("add", None, 11, "b"),
    ]


def test_remarks_stand_under_their_line_or_are_kept_apart() -> None:
    here, far = remark(3), remark(900)
    shown = diffs.read(change(PATCH), [here, far])
    assert [row.text for row in shown.rows if row.remarks == [here]] == ["more"]
    assert shown.elsewhere == [far]


def test_a_huge_diff_is_cut_and_loses_no_remark() -> None:
    patch = f"@@ -0,0 +1,5000 @@\n{chr(10).join('+x' for _ in range(5_000))}"
    late = remark(4_000)
    shown = diffs.read(change(patch), [late])
    assert (len(shown.rows), shown.cut) == (diffs.MOST_ROWS, 5_001 - diffs.MOST_ROWS)
    assert shown.elsewhere == [late]


def test_a_binary_file_has_no_rows() -> None:
    assert diffs.read(change(None)).rows == []


def test_anchors_differ_by_path_and_are_always_the_same() -> None:
    one, other = diffs.read(change(None, "a")), diffs.read(change(None, "b"))
    assert one.anchor != other.anchor
    assert one.anchor == diffs.read(change("x", "a")).anchor
