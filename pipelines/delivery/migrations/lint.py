"""Every check of a folder of migrations that needs no database: our rules, and squawk beside them."""

from __future__ import annotations

from pathlib import Path

from pipelines.delivery.migrations import files as schema
from pipelines.delivery.migrations import rules, squawk
from pipelines.delivery.migrations.rules import Finding

_SAME = {"unique": "not-valid", "validate-apart": "not-valid"}
"""What squawk calls by one name."""


def judge(folder: Path) -> list[Finding]:
    """What is wrong, by file and line; what both find is reported once. Raises InputError for a wrong folder, LocalError without squawk."""
    files = schema.read(folder)
    ours = rules.judge(files)
    values = {(each.file, each.line, _SAME.get(each.rule, each.rule)) for each in ours}
    gone = schema.superseded(files)
    run = [migration for migration in files if migration.version not in gone]
    theirs = [
        each for each in squawk.judge(run) if (each.file, each.line, _SAME.get(each.rule, each.rule)) not in values
    ]
    return sorted([*ours, *theirs], key=lambda each: (each.file, each.line, each.rule))
