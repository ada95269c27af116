"""The work of the artifact stand-ins: copy files to and from the run's folder.

Runs alone (`python -I -S artifacts.py upload|download`) inside a job; inputs come as ARTIFACT_* variables.
"""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import json
import os
import shutil
import sys
import time
import zipfile
from pathlib import Path

META = "artifact.json"
FILES = "files"
ARCHIVE = "artifact.zip"
FORBIDDEN = '":<>|*?\r\n\\/'


class Refused(Exception):
    """What the log says."""


def upload() -> str:
    name = os.environ["ARTIFACT_NAME"]
    if not name or any(character in FORBIDDEN for character in name):
        raise Refused(f"the name {name!r} is empty or has one of these characters: {FORBIDDEN!r}")
    files = wanted_files(os.environ["ARTIFACT_PATHS"].splitlines(), hidden=os.environ["ARTIFACT_HIDDEN"] == "true")
    if not files:
        return nothing_found()
    days = retention_days(os.environ["ARTIFACT_DAYS"])
    target = run_folder() / os.environ["GITHUB_RUN_ATTEMPT"] / name
    if os.environ["ARTIFACT_OVERWRITE"] == "true":
        shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.mkdir()
    except FileExistsError as error:
        raise Refused(
            f"an artifact named {name} exists in this attempt of the run already. Choose another name or set overwrite."
        ) from error
    meta = keep(files, target, days)
    output("artifact-id", str(meta["id"]))
    output("artifact-digest", str(meta["digest"]))
    run = "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}".format_map(os.environ)
    output("artifact-url", f"{run}/artifacts/{meta['id']}")
    return f"Artifact {name}: {len(files)} files, {meta['size']} bytes, sha256:{meta['digest']}, id {meta['id']}"


def retention_days(given: str) -> int:
    """As asked for, within what the repository allows; 0 and nothing mean the most."""
    most = int(os.environ["GITHUB_RETENTION_DAYS"])
    if not given:
        return most
    try:
        days = int(given)
    except ValueError as error:
        raise Refused(f"retention-days is not a number: {given}") from error
    if days > most:
        print(f"::warning::retention-days cannot be greater than the {most} that the repository allows: {most} it is.")  # noqa: T201 - the job's log
    return min(days, most) if days > 0 else most


def wanted_files(patterns: list[str], *, hidden: bool) -> list[Path]:
    """Files of every pattern but those starting with `!`; folders with all they hold."""
    included: set[Path] = set()
    for pattern in (line.strip() for line in patterns):
        if pattern.startswith("!"):
            included -= found(pattern[1:].strip())
        elif pattern:
            included |= found(pattern)
    return sorted(file for file in included if hidden or not is_hidden(file))


def is_hidden(file: Path) -> bool:
    return any(part.startswith(".") and part != ".." for part in Path(os.path.relpath(file)).parts)


def found(pattern: str) -> set[Path]:
    files: set[Path] = set()
    for match in glob.iglob(home_filled_in(pattern), recursive=True, include_hidden=True):  # noqa: PTH207 - absolute ones too
        path = Path(match).resolve()
        files |= {inner for inner in path.rglob("*") if inner.is_file()} if path.is_dir() else {path}
    return files


def home_filled_in(path: str) -> str:
    return str(Path(path).expanduser())


def nothing_found() -> str:
    paths = os.environ["ARTIFACT_PATHS"].strip()
    message = f"No files were found with the provided path: {paths}. No artifacts will be uploaded."
    if os.environ["ARTIFACT_IF_NONE"] == "error":
        raise Refused(message)
    return message if os.environ["ARTIFACT_IF_NONE"] == "ignore" else f"::warning::{message}"


def keep(files: list[Path], target: Path, days: int) -> dict[str, object]:
    """Copy the files under their common folder, and keep them as the archive that people download, whose digest is the
    artifact's. What is written last is the description, which makes it count."""
    root = Path(os.path.commonpath([file.parent for file in files]))
    size = 0
    with zipfile.ZipFile(target / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            relative = file.relative_to(root)
            copy = target / FILES / relative
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            archive.write(copy, relative.as_posix())
            size += copy.stat().st_size
    digest = hashlib.sha256((target / ARCHIVE).read_bytes()).hexdigest()
    meta = {"id": time.time_ns() // 1000, "size": size, "digest": digest, "retention_days": days}
    partial = target / f"{META}.part"
    partial.write_text(json.dumps(meta))
    partial.rename(target / META)
    return meta


def download() -> str:
    kept = {path.parent.name: path.parent for path in descriptions(run_folder(os.environ["ARTIFACT_RUN"]))}
    chosen = choose({name: json.loads((folder / META).read_text()) for name, folder in sorted(kept.items())})
    name, target = os.environ["ARTIFACT_NAME"], Path(home_filled_in(os.environ["ARTIFACT_PATHS"] or ".")).resolve()
    flat = (
        bool(name) or os.environ["ARTIFACT_MERGE"] == "true" or (len(chosen) == 1 and bool(os.environ["ARTIFACT_IDS"]))
    )
    for artifact in chosen:
        place = target if flat else target / artifact
        shutil.copytree(kept[artifact] / FILES, place, dirs_exist_ok=True)
    output("download-path", str(target))
    return f"Downloaded {', '.join(chosen) or 'nothing'} to {target}"


def descriptions(folder: Path) -> list[Path]:
    """What a run keeps, that of later attempts last: of two artifacts with one name the newer one counts."""
    found = folder.glob(f"*/*/{META}")
    return sorted(found, key=lambda path: (int(path.parent.parent.name), path.parent.name))


def choose(kept: dict[str, dict[str, object]]) -> list[str]:
    name, pattern = os.environ["ARTIFACT_NAME"], os.environ["ARTIFACT_PATTERN"]
    known = ", ".join(kept) or "none"
    if name:
        if name not in kept:
            raise Refused(f"Artifact not found for name: {name}. This run has: {known}")
        return [name]
    if ids := [part.strip() for part in os.environ["ARTIFACT_IDS"].split(",") if part.strip()]:
        by_id = {str(meta["id"]): artifact for artifact, meta in kept.items()}
        if missing := [wanted for wanted in ids if wanted not in by_id]:
            raise Refused(f"Artifacts not found for ids: {', '.join(missing)}. This run has: {known}")
        return [by_id[wanted] for wanted in ids]
    return [artifact for artifact in kept if not pattern or fnmatch.fnmatchcase(artifact, pattern)]


def run_folder(run: str | None = None) -> Path:
    return Path(os.environ["REHEARSAL_ARTIFACTS"], run or os.environ["GITHUB_RUN_ID"])


def output(name: str, value: str) -> None:
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as file:
        file.write(f"{name}={value}\n")


def main() -> int:
    try:
        print(upload() if sys.argv[1] == "upload" else download())  # noqa: T201 - the job's log
    except Refused as refusal:
        print(f"::error::{sys.argv[1]}-artifact: {refusal}")  # noqa: T201 - the job's log
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
