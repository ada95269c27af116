"""Artifacts that the jobs of a run left in its folder."""

from __future__ import annotations

import base64
import io
import json
import shutil
import tarfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from rehearsal import archives
from rehearsal.runner.model import Artifact, Job, Run
from rehearsal.runner.stand_ins.artifacts import FILES, descriptions


def collect(run: Run, job: Job, folder: Path, now: datetime) -> None:
    """Put what is new, or was overwritten, under `folder/<run id>/<attempt>` on the run."""
    known = {artifact.id for artifact in run.artifacts}
    for description in descriptions(folder / str(run.id)):
        meta = json.loads(description.read_text())
        if meta["id"] in known:
            continue
        path = str(description.parent / FILES)
        run.artifacts = [artifact for artifact in run.artifacts if artifact.path != path]
        run.artifacts.append(
            Artifact(
                id=meta["id"],
                name=description.parent.name,
                size=meta["size"],
                digest=meta["digest"],
                created_at=now,
                path=path,
                job_id=job.id,
                retention_days=meta["retention_days"],
            )
        )


def discard(folder: Path, run: Run, artifact: Artifact | None = None) -> None:
    """Remove an artifact of a run, or all of every attempt."""
    if artifact is None:
        shutil.rmtree(folder / str(run.id), ignore_errors=True)
    else:
        shutil.rmtree(Path(artifact.path).parent, ignore_errors=True)
    run.artifacts = [one for one in run.artifacts if artifact is not None and one is not artifact]


def pack(folder: Path) -> str:
    """Every artifact of every run as a tar archive in base64."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        if folder.exists():
            archive.add(folder, arcname=".")
    return base64.b64encode(stream.getvalue()).decode()


def unpack(packed: str, folder: Path, runs: Iterable[Run]) -> None:
    """Replace all artifacts by those `pack` gave, and have the runs point to them."""
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(packed))) as archive:
        archives.extract_all(archive, folder)
    for run in runs:
        for artifact in run.artifacts:
            attempt = Path(artifact.path).parent.parent.name
            artifact.path = str(folder / str(run.id) / attempt / artifact.name / FILES)
