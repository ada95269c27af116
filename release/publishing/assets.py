"""The files of a release: SBOMs, release.json, evidence, notes and their checksums, in one folder, the same for the same commit."""

from __future__ import annotations

import hashlib
import json
import mimetypes
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.errors import InputError, LocalError
from release.changelog.sections import Section
from release.changelog.writing import Given, write_notes
from release.context import ReleaseContext
from release.publishing.forge import File
from release.publishing.sbom import sbom

NOTES = "RELEASE_NOTES.md"
SUMS = "SHA256SUMS"
ABOUT = "release.json"
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")


def prepare(
    context: ReleaseContext,
    section: Section,
    folder: Path,
    given: Given,
    *,
    files: Sequence[Path] = (),
    evidence: Sequence[Path] = (),
    online: bool = True,
    kept: str = "",
) -> str:
    """Write the release's files into `folder` and return the notes. `files` are shipped; `evidence` tells how it was tested;
    `kept` are notes written before, which stay when they name these files.

    Raises InputError for a file that cannot be taken, LocalError when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in _sboms(context, section).items():
            (folder / name).write_text(content)
        _require_names(sbom_names(context), (*files, *evidence))
        for path in (*files, *evidence):
            _take(path, folder)
        shipped = [*sbom_names(context), *(path.name for path in files)]
        about = _about(context, section, given.deploys, {name: sha256(folder / name) for name in shipped})
        (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n")
        sums = {name: sha256(folder / name) for name in (*shipped, ABOUT, *(path.name for path in evidence))}
        notes = kept if kept and all(digest in kept for digest in sums.values()) else ""
        notes = notes or write_notes(context, section, Given(**{**vars(given), "checksums": sums}), online=online)
        (folder / NOTES).write_text(notes)
        sums[NOTES] = sha256(folder / NOTES)
        rows = [f"{digest}  {name}\n" for name, digest in sorted(sums.items())]
        (folder / SUMS).write_text("".join(rows))
    except OSError as error:
        raise LocalError(
            f"the release's files cannot be written: {error.strerror}",
            where=str(folder),
            next_step="free the disk, or choose another --out",
        ) from error
    return notes


def collect(folder: Path, tag: str, commit: str) -> list[File]:
    """The files `prepare` wrote, with the checksums last. Raises InputError when they are of another release or were changed."""
    try:
        about: dict[str, Any] = json.loads((folder / ABOUT).read_text())
        sums = read_sums((folder / SUMS).read_text())
    except (OSError, ValueError) as error:
        raise InputError(
            f"there is no prepared release: {error}",
            where=str(folder),
            next_step=f"shipmate release assets --out {folder}",
        ) from error
    if (about.get("tag"), about.get("commit")) != (tag, commit):
        raise InputError(
            f"these files are of {about.get('tag')} on {str(about.get('commit'))[:9]}, not of {tag} on {commit[:9]}",
            where=str(folder),
            next_step=f"shipmate release assets {tag} --out {folder}",
        )
    shipped = {ABOUT, *about.get("files", {})}
    found = [_file(folder / name, record=name not in shipped) for name in sorted(sums)]
    for file in found:
        if file.sha256 != sums[file.name]:
            raise InputError(
                f"{file.name} was changed after its checksum was written",
                where=str(folder),
                next_step=f"shipmate release assets {tag} --out {folder}",
            )
    return [*found, _file(folder / SUMS, record=True)]


def read_sums(text: str) -> dict[str, str]:
    """SHA256SUMS as sha256sum(1) writes it: name -> digest. Raises ValueError for any other line."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        row = re.fullmatch(r"([0-9a-f]{64}) [ *]([^/\0]+)", line)
        if row is None:
            raise ValueError(f"{line!r} is no line of SHA256SUMS")
        found[row[2]] = row[1]
    return found


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while piece := content.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _about(
    context: ReleaseContext, section: Section, deploys: Mapping[str, str], files: Mapping[str, str]
) -> dict[str, Any]:
    """What the release is, for machines. Nothing in it depends on when or where it was written."""
    return {
        "schema": 1,
        "component": context.repository.name,
        "version": section.version,
        "tag": section.tag,
        "commit": section.commit,
        "previous": section.previous.tag if section.previous else None,
        "deploys": dict(sorted(deploys.items())),
        "files": dict(sorted(files.items())),
    }


def sbom_names(context: ReleaseContext) -> list[str]:
    """Names of the files that are made from the component's lock files."""
    return [f"{name}.cdx.json" for name in context.repository.component.sboms]


def _sboms(context: ReleaseContext, section: Section) -> dict[str, str]:
    made: dict[str, str] = {}
    for name, lock in context.repository.component.sboms.items():
        content = context.git.file(section.commit, lock)
        if content is None:
            raise InputError(
                f"the lock file of {name} is not in {section.commit[:9]}",
                where=lock,
                next_step="see release/components/…/sboms",
            )
        made[f"{name}.cdx.json"] = sbom(
            name,
            section.version,
            lock,
            content.decode("utf-8", "replace"),
            commit=section.commit,
            time=context.repository.time_of(section.commit),
            other=lambda path: _text(context, section.commit, path),
        )
    return made


def _text(context: ReleaseContext, commit: str, path: str) -> str | None:
    content = context.git.file(commit, path)
    return None if content is None else content.decode("utf-8", "replace")


def _require_names(made: Sequence[str], paths: Sequence[Path]) -> None:
    """A release holds one file of a name. Raises InputError for two that have the same."""
    named: dict[str, Path] = {name: Path(name) for name in made}
    for path in paths:
        if named.setdefault(path.name, path.resolve()) != path.resolve():
            raise InputError(
                f"two files of the release are called {path.name!r}",
                where=str(path),
                why="a release holds one file of a name",
                next_step="rename one of them",
            )


def _take(path: Path, folder: Path) -> None:
    """Copy a file in, under a name GitHub keeps as it is."""
    if not path.is_file():
        raise InputError("there is no such file", where=str(path), next_step="pass files, not folders")
    if not _NAME.fullmatch(path.name) or path.name in (NOTES, SUMS, ABOUT):
        raise InputError(
            f"{path.name!r} cannot be the name of an asset",
            where=str(path),
            next_step="use letters, digits, dot, dash and underscore, and not the name of a file the release makes itself",
        )
    if path.resolve() != (folder / path.name).resolve():
        shutil.copyfile(path, folder / path.name)


def _file(path: Path, *, record: bool) -> File:
    try:
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return File(
            name=path.name, path=path, size=path.stat().st_size, sha256=sha256(path), content_type=kind, record=record
        )
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", where=str(path), next_step="prepare the files again"
        ) from error
