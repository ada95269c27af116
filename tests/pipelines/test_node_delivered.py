"""A service of Node, from its Dockerfile to an answer: built as a layout, pushed from it, staged, live."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines import images
from pipelines.errors import ShipmateError
from pipelines.http import Http
from pipelines.manifest.targets import CloudRun
from pipelines.overlay import Overlay
from pipelines.providers.cloud_run import CloudRunHost
from pipelines.roles import Artifact, Identity
from rehearsal.serving import running
from tests.pipelines.images.repository import git, make
from tests.pipelines.images.services import HELLO, HELLO_FILES, REPOSITORY, docker_on_path
from tests.pipelines.providers.clouds import API, Clouds, clouds

pytestmark = pytest.mark.world

TARGET = CloudRun(
    provider="cloud-run",
    project=API.project,
    region="europe-west1",
    service=API.service,
    url="https://api-staging.techmate.ai",
    service_account="api@techmate-staging.iam.gserviceaccount.com",
    env={"GREETING": "hello from staging"},
)
IDENTITY = Identity(release="v1.0.0", commit="c" * 40, digest="", schema="")


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shutil.which("node"), "node is missing: make setup"
    docker_on_path(tmp_path / "dockers", monkeypatch)


def delivered(world: Clouds, folder: Path) -> Artifact:
    """Built in one place, pushed in another that has nothing but the layout and its digest."""
    layout = folder / "layout"
    digest = images.build_layout(HELLO, folder / "repo", "HEAD", output=layout, http=Http(overlay=Overlay()))
    elsewhere = shutil.copytree(layout, folder / "elsewhere")
    with running(world.registry.app) as server:
        http = Http(overlay=Overlay(hosts={REPOSITORY.partition("/")[0]: server.url}))
        reference = images.push_layout(elsewhere, REPOSITORY, ["head"], http=http, digest=digest)
    return Artifact(component="hello", digest=digest, reference=reference)


def test_it_answers_from_cloud_run_with_its_own_surroundings_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_OPTIONS", "--require=/nowhere.js")
    monkeypatch.setenv("SECRET_OF_THE_MACHINE", "no")
    make(tmp_path / "repo", {**HELLO_FILES, "apps/backend/backend/__main__.py": ""})
    with clouds(tmp_path / "world", probes=0.2) as world:
        artifact = delivered(world, tmp_path)
        host = CloudRunHost(TARGET, world.http, lambda: "token")
        staged = host.stage(artifact, IDENTITY)
        host.shift(staged.key, 100)
        name = "api-staging.techmate.ai"
        assert world.answer(name, "/health").json() == {"status": "ok"}
        assert world.answer(name, "/version").json() == {"release": "v1.0.0", "commit": "c" * 40}
        assert world.answer(name, "/nothing").status_code == 404
        seen = world.answer(name, "/hello").json()
        work = tmp_path / "world/run"
        assert seen["greeting"] == "hello from staging"
        assert Path(seen["cwd"]).is_relative_to(work / "images")
        assert seen["cwd"].endswith("/srv/hello")
        assert seen["argv"][1] == f"{seen['cwd']}/server.js"
        env = seen["env"]
        assert env["NODE_ENV"] == "production"
        assert env["NODE_VERSION"] == "20"
        assert env["HOME"] == env["TMPDIR"]
        assert Path(env["HOME"]).is_relative_to(work / "homes")
        assert env["PATH"].split(":")[1] == str(work / "node/bin")
        assert not {"NODE_OPTIONS", "SECRET_OF_THE_MACHINE", "SHIPMATE_HOME"} & env.keys()
        pids = world.run.pids(API, staged.key)
        assert pids
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_module_that_is_not_in_the_image_is_missing(tmp_path: Path) -> None:
    server = HELLO_FILES["apps/hello/server.js"]
    changed = {"apps/hello/server.js": f'require("express");\n{server}', "apps/backend/backend/__main__.py": ""}
    make(tmp_path / "repo", {**HELLO_FILES, **changed})
    with clouds(tmp_path / "world", probes=0.2) as world:
        artifact = delivered(world, tmp_path)
        with pytest.raises(ShipmateError, match="Cannot find module 'express'"):
            CloudRunHost(TARGET, world.http, lambda: "token").stage(artifact, IDENTITY)


def test_a_program_of_the_base_that_is_not_supported_is_named(tmp_path: Path) -> None:
    make(tmp_path / "repo", {**HELLO_FILES, "apps/backend/backend/__main__.py": ""})
    dockerfile = tmp_path / "repo/apps/hello/Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace('["node", "server.js"]', '["npm", "start"]'))
    git(tmp_path / "repo", "commit", "-qam", "npm")
    with clouds(tmp_path / "world", probes=0.2) as world:
        artifact = delivered(world, tmp_path)
        with pytest.raises(ShipmateError, match=r'exec: "npm": no such file in the image.*only python, node and sh'):
            CloudRunHost(TARGET, world.http, lambda: "token").stage(artifact, IDENTITY)
