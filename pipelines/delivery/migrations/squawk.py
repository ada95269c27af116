"""squawk, a linter made for migrations of Postgres, beside our own rules: it reads with a parser of its own. A development requirement."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.delivery.migrations import rules
from pipelines.delivery.migrations.files import Migration
from pipelines.delivery.migrations.rules import Finding
from pipelines.errors import LocalError

POSTGRES = "15"
"""The oldest that is supported."""
OURS: Mapping[str, str] = {
    "adding-foreign-key-constraint": "not-valid",
    "adding-required-field": "required-column",
    "adding-serial-primary-key-field": "rewrite",
    "adding-field-with-default": "rewrite",
    "ban-concurrent-index-creation-in-transaction": "transaction",
    "ban-drop-column": "drop",
    "ban-drop-database": "drop",
    "ban-drop-table": "drop",
    "ban-truncate-cascade": "drop",
    "ban-uncommitted-transaction": "transaction",
    "changing-column-type": "type-change",
    "constraint-missing-not-valid": "not-valid",
    "disallowed-unique-constraint": "unique",
    "renaming-column": "rename",
    "renaming-table": "rename",
    "require-concurrent-index-creation": "concurrently",
    "require-concurrent-index-deletion": "concurrently",
    "require-concurrent-partition-detach": "concurrently",
    "require-concurrent-reindex": "concurrently",
    "syntax-error": "syntax",
    "transaction-nesting": "transaction",
}
"""What it calls a rule -> what we call it: an exception is for both."""
LEFT_OUT = (
    # The runner sets these, for every statement.
    "require-lock-timeout",
    "require-statement-timeout",
    # Our own rule `not-null` knows the files before: a CHECK that they validated makes it safe.
    "adding-not-nullable-field",
    # Where it matters, our own rule `repeatable` judges it.
    "prefer-robust-stmts",
    # Habits, which harm nobody while a release goes out.
    "ban-char-field",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-text-field",
    "prefer-timestamp-tz",
)
_SECONDS = 60.0


def judge(files: Sequence[Migration]) -> list[Finding]:
    """What it finds in files, without what our own exceptions allow. Raises LocalError when it cannot run."""
    program = _program()
    return [found for migration in files for found in _judge(program, migration)]


def _judge(program: str, migration: Migration) -> list[Finding]:
    argv = [program, "--reporter", "json", "--stdin-filepath", migration.file, "--pg-version", POSTGRES]
    argv += [f"--exclude={','.join(LEFT_OUT)}"]
    if not migration.alone:
        argv.append("--assume-in-transaction")
    # Our exceptions alone count: those of the linter itself have no reason, and a review does not look for them.
    text = migration.sql.replace("squawk-ignore", "squawk ignore")
    message = run(argv, text)
    return rules.allowing(
        migration, [each for each in map(_finding, message) if _counts(each, migration)], judged=False
    )


def run(argv: Sequence[str], text: str) -> list[Mapping[str, Any]]:
    """Its answer for one text. Raises LocalError for one that is none: nothing was checked."""
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, timeout=_SECONDS, cwd="/")
        answer = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise _cannot(str(error)) from error
    # 1: it found something. Anything else with an empty list would be a pass that checked nothing.
    if not isinstance(answer, list) or done.returncode not in (0, 1) or bool(answer) != bool(done.returncode):
        raise _cannot(done.stderr.strip() or f"exit code {done.returncode}")
    return answer


def _finding(entry: Mapping[str, Any]) -> Finding:
    name = str(entry["rule_name"])
    return Finding(
        file=str(entry["file"]),
        line=int(entry["line"]) + 1,
        rule=OURS.get(name, name),
        what=f"{entry['message']} (squawk: {name})",
        why=rules.RULES[OURS[name]].why if name in OURS else "squawk's documentation of the rule says why",
        instead=str(
            entry.get("help") or (rules.RULES[OURS[name]].instead if name in OURS else "see squawk's documentation")
        ),
    )


def _counts(found: Finding, migration: Migration) -> bool:
    return not (found.rule in rules.COMPATIBLE and migration.kind == "contract")


def _program() -> str:
    beside = Path(sys.executable).parent / "squawk"
    found = str(beside) if beside.is_file() else shutil.which("squawk")
    if not found:
        raise _cannot("it is not installed")
    return found


def _cannot(why: str) -> LocalError:
    return LocalError(
        f"squawk did not judge the migrations: {why}",
        where="squawk",
        why="it is a development requirement",
        next_step="make setup; elsewhere: pip install squawk-cli",
    )
