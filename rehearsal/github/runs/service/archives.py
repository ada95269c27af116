"""Logs and artifacts as files for download."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

from rehearsal.runner.model import Artifact, Job, Run
from rehearsal.runner.stand_ins.artifacts import ARCHIVE

_UNFIT = re.compile(r'[/:"<>|*?\\]')


def run_logs(jobs: list[Job]) -> bytes:
    """The archive of a run: `1_job.txt` with a whole job, and `job/2_step.txt` with each step of it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for position, job in enumerate(jobs, start=1):
            name = file_name(job.name)
            archive.writestr(f"{position}_{name}.txt", job.log_text())
            for step in job.steps:
                text = "".join(f"{line}\n" for line in step.log)
                archive.writestr(f"{name}/{step.number}_{file_name(step.name)}.txt", text)
    return stream.getvalue()


def artifact_zip(artifact: Artifact) -> bytes:
    """The archive of an artifact, byte for byte what its digest is of."""
    root = Path(artifact.path)
    kept = root.with_name(ARCHIVE)
    if kept.exists():
        return kept.read_bytes()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                archive.write(path, str(path.relative_to(root)))
    return stream.getvalue()


def file_name(text: str) -> str:
    """A name without what file systems refuse, as GitHub cuts it."""
    return _UNFIT.sub("", text).strip()


def find_artifact(runs: list[Run], number: int) -> tuple[Run, Artifact] | None:
    return next(((run, one) for run in runs for one in run.artifacts if one.id == number), None)
