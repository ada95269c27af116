"""The notes in docs/RELEASES.md, made by the engine: a history with everything in it, released as the platform's manifest says.

`python -m tests.release.example` writes them into the guide; a test holds the two equal.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from release.changelog.selection import section_for
from release.changelog.writing import Given
from release.context import ReleaseContext
from release.publishing.assets import prepare
from tests.release.histories import Planned, git, make

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "RELEASES.md"
BEGIN, END = "<!-- notes: begin -->\n\n````markdown\n", "````\n\n<!-- notes: end -->\n"
REPOSITORY = "techmate/platform"
IMAGES = "europe-west1-docker.pkg.dev/techmate-delivery/platform"
DEPLOYS = {
    "backend": f"{IMAGES}/backend@sha256:1f0a6b0c1f7f4a3f0c5d1b5e0a54f6a8d0d6a4a1b8c7e93f25d1c0b9a8e7d6c5",
    "web": f"{IMAGES}/web@sha256:9f2ab61d7c3e85f04b1a6d92c8e7f3051b4a6c8d2e9f7035a1c4b6d8e2f90371",
}
REQUIREMENTS = "anyio==4.16.0\nstarlette==0.50.0 ; python_version >= '3.11'\n"
PACKAGES = {
    "": {"name": "web", "version": "1.0.0", "dependencies": {"react": "^19"}},
    "node_modules/react": {"version": "19.2.0", "license": "MIT"},
    "node_modules/vite": {"version": "7.2.2", "license": "MIT", "dev": True},
}
FILES = {
    "apps/backend/requirements.txt": REQUIREMENTS,
    "apps/web/package-lock.json": json.dumps({"lockfileVersion": 3, "packages": PACKAGES}),
    "apps/backend/migrations/0002_names.expand.sql": "-- A name for every note.\nALTER TABLE notes ADD name text;\n",
}
NAMES = """feat(api)!: take notes by name (#41)

BREAKING CHANGE: the `id` of a note is gone.

Upgrade: ask for `name` instead: `GET /notes?name=x`.
"""
MEANING = """feat(web): find notes by meaning (#38)

Highlight: Search finds what you mean, not only what you typed

Co-authored-by: dev-3 <dev-3@example.com>
"""
HISTORY = (
    ("feat: keep notes (#12)", "dev-1", FILES),
    ("docs: say how to begin (#37)", "dev-1", {"README.md": "# Notes\n"}),
    (MEANING, "dev-2", {"apps/backend/migrations/0003_vectors.expand.sql": "-- Vectors beside the notes.\n"}),
    ("feat(mobile): a darker theme (#39)", "dev-4", {"apps/mobile/theme.ts": "export {}\n"}),
    ("fix(api): keep the order of answers (#40)", "dev-1", {"apps/backend/order.py": "\n"}),
    (NAMES, "dev-1", {"apps/backend/migrations/0004_ids.contract.sql": "-- Drops the ids.\n"}),
    ("perf(db): ask once for all notes of a page (#43)", "dev-2", {"apps/backend/pages.py": "\n"}),
    ("fix(security): look who owns a note before showing it (#44)", "dev-1", {"apps/backend/owner.py": "\n"}),
    ("chore: tidy up (#45)", "dev-2", {"apps/backend/tidy.py": "\n"}),
)
RELEASED = 0
"""The commit of HISTORY that v1.1.0 is on."""


def write(folder: Path) -> str:
    """The notes of v2.0.0, from a repository made in `folder`."""
    commits = [
        Planned(message, (at - 1,) if at else (), 1_780_000_000 + at * 86_400, who, f"{who}@example.com", files)
        for at, (message, who, files) in enumerate(HISTORY)
    ]
    ids = make(folder, commits, tags={"v1.1.0": RELEASED})
    git(folder, "checkout", "-q", "main")
    (folder / "shipmate.yml").write_bytes((ROOT / "shipmate.yml").read_bytes())
    # What GitHub answered of these commits, as a lookup keeps it: nothing is asked here.
    credits = {
        name: [who, int(message.partition("(#")[2].partition(")")[0])]
        for name, (message, who, _) in zip(ids, HISTORY, strict=True)
    }
    (folder / ".git" / "shipmate").mkdir()
    (folder / ".git" / "shipmate" / f"credits-{REPOSITORY.replace('/', '-')}.json").write_text(json.dumps(credits))
    environ = {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_SERVER_URL": "https://github.com", "GITHUB_TOKEN": "none"}
    context = ReleaseContext(folder=folder, environ=environ)
    return prepare(context, section_for(context), folder / "dist", Given(deploys=DEPLOYS))


def shown(guide: str) -> str:
    """The notes that stand in the guide."""
    return guide.partition(BEGIN)[2].partition(END)[0]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        notes = write(Path(folder))
    guide = GUIDE.read_text()
    before, _, rest = guide.partition(BEGIN)
    GUIDE.write_text(f"{before}{BEGIN}{notes}{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
