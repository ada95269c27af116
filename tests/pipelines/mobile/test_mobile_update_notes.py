"""What is being rolled back is known to the next run: by a ref at GitHub, or by a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.faults import Policy
from pipelines.github import GitHub
from pipelines.mobile.update_notes import FOLDER, FileNotes, GitHubNotes, Notes, Rollback, parsed
from tests.shop import REPOSITORY, Shop

RETURNS = (
    Rollback(group="g-2", commit="c" * 40, runtime="r", platforms=("android",), to="g-1"),
    Rollback(group="g-4", commit="c" * 40, runtime="s", platforms=("android", "ios"), to="", embedded=True),
)


def _kept(notes: Notes, commit: str) -> None:
    assert notes.read() == ()
    notes.write(RETURNS, commit)
    assert notes.read() == RETURNS
    notes.write(RETURNS[:1], commit)
    assert notes.read() == RETURNS[:1]
    notes.write((), commit)
    assert notes.read() == ()


@pytest.mark.world
def test_a_ref_of_the_repository_holds_it(shop: Shop) -> None:
    github = GitHub(REPOSITORY, shop.person("dev-1").token, api_url=shop.url, policy=Policy(scale=0.0))
    main = str(github.json("GET", f"/repos/{REPOSITORY}/git/ref/heads/main")["object"]["sha"])
    _kept(GitHubNotes(github, "production"), main)
    assert GitHubNotes(github, "preview").read() == ()
    ref = {"ref": f"refs/{FOLDER}/preview", "sha": main}
    github.json("POST", f"/repos/{REPOSITORY}/git/refs", ref)
    assert GitHubNotes(github, "preview").read() == (), "a ref that someone else made tells nothing"


def test_a_file_holds_it(tmp_path: Path) -> None:
    file = tmp_path / "state/production.json"
    _kept(FileNotes(file), "")
    file.write_text('[{"group": 1}]')
    assert FileNotes(file).read() == ()
    assert parsed("no JSON") == ()
