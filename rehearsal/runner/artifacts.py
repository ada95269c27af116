"""Artifacts that the jobs of a run left in its folder."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from rehearsal.runner.model import Artifact, Job, Run
from rehearsal.runner.stand_ins.artifacts import FILES, META


def collect(run: Run, job: Job, folder: Path, now: datetime) -> None:
    """Put what is new, or was overwritten, under `folder/<run id>` on the run."""
    known = {artifact.id for artifact in run.artifacts}
    for description in sorted((folder / str(run.id)).glob(f"*/{META}")):
        meta = json.loads(description.read_text())
        if meta["id"] in known:
            continue
        name = description.parent.name
        run.artifacts = [artifact for artifact in run.artifacts if artifact.name != name]
        run.artifacts.append(
            Artifact(
                id=meta["id"],
                name=name,
                size=meta["size"],
                digest=meta["digest"],
                created_at=now,
                path=str(description.parent / FILES),
                job_id=job.id,
            )
        )


def move(run: Run, folder: Path) -> None:
    """Have the artifacts of a loaded run point to their files under another world's folder."""
    for artifact in run.artifacts:
        artifact.path = str(folder / str(run.id) / artifact.name / FILES)
