"""What GitHub holds of a release that was begun or finished before: it is kept unless it is given anew."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import ReleaseError
from release.publishing.assets import ABOUT, NOTES, SUMS, read_sums
from release.publishing.forge import Forge, ForgeRelease
from release.publishing.state import edited, given_in, is_ours, notes_in


@dataclass(frozen=True, kw_only=True)
class ExistingRelease:
    """A release on GitHub, or the draft of one, and what it was made with."""

    entry: ForgeRelease
    deploys: Mapping[str, str]
    files: Sequence[str]
    """Names of what was shipped with `--asset`."""
    evidence: Sequence[str]
    highlights: Sequence[str]
    finished: bool
    """It is out, with every file its checksums name."""

    @property
    def notes(self) -> str:
        """The notes as they were written; empty when a person changed them since."""
        return "" if edited(self.entry) else f"{notes_in(self.entry)}\n"

    def fetch(self, forge: Forge, names: Iterable[str], folder: Path, option: str) -> list[Path]:
        """Download files into `folder`. Raises ReleaseError for one that never got there: nobody but who began it has it."""
        found: list[Path] = []
        for name in names:
            asset = self.entry.asset(name)
            if asset is None or not asset.whole:
                raise ReleaseError(
                    f"{self.entry.tag} was begun with {name}, which never arrived at GitHub and is not given now",
                    where=self.entry.url,
                    why="the run that has it stopped, or is still at work",
                    next_step=f"run this again with {option} PATH/{name}",
                )
            (folder / name).write_bytes(forge.download(asset))
            found.append(folder / name)
        return found


def find_existing(forge: Forge, tag: str, commit: str, since: str, sboms: Sequence[str]) -> ExistingRelease | None:
    """The release of a tag, or our draft of it. `since`: as for `Forge.drafts`; `sboms`: names of files that are made anew."""
    entry = forge.published(tag) or next(filter(is_ours, forge.drafts(tag, since)), None)
    if entry is None:
        return None
    about, sums = _content(forge, entry, ABOUT), _content(forge, entry, SUMS)
    given = given_in(entry)
    shipped = about.get("files") or dict.fromkeys(given.get("files", ()))
    values = [name for name in sums if name not in shipped and name not in (ABOUT, NOTES)]
    return ExistingRelease(
        entry=entry,
        deploys=about.get("deploys") or given.get("deploys") or {},
        files=[name for name in shipped if name not in sboms],
        evidence=values or list(given.get("evidence", ())),
        highlights=list(given.get("highlights", ())),
        finished=not entry.draft and (about.get("tag"), about.get("commit")) == (tag, commit) and _whole(entry, sums),
    )


def given_of(folder: Path, sboms: Sequence[str], highlights: Sequence[str]) -> dict[str, Any]:
    """What the prepared files in a folder were made with, so that another machine can finish the release; only what there is."""
    about: dict[str, Any] = json.loads((folder / ABOUT).read_text())
    shipped = about.get("files") or {}
    found = {
        "deploys": about.get("deploys") or {},
        "highlights": list(highlights),
        "files": [name for name in shipped if name not in sboms],
        "evidence": [
            name
            for name in read_sums((folder / SUMS).read_text())
            if name not in shipped and name not in (ABOUT, NOTES)
        ],
    }
    return {name: what for name, what in found.items() if what}


def _content(forge: Forge, entry: ForgeRelease, name: str) -> dict[str, Any]:
    """release.json or SHA256SUMS of a release; empty when it is not there or cannot be read."""
    asset = entry.asset(name)
    if asset is None or not asset.whole:
        return {}
    text = forge.download(asset).decode("utf-8", "replace")
    try:
        found: Any = read_sums(text) if name == SUMS else json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _whole(entry: ForgeRelease, sums: Mapping[str, str]) -> bool:
    """Whether every file that the checksums name is there and is that file."""
    there = {asset.name: asset.digest for asset in entry.assets if asset.whole}
    return bool(sums) and all(there.get(name) in ("", f"sha256:{digest}") for name, digest in sums.items())
