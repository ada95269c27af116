"""The stand-in for docker: what it makes of a Dockerfile, and what it refuses."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from rehearsal.base_image import digest_of, stand_in_base
from rehearsal.runner.actions import PROGRAMS
from rehearsal.services import peers

FROM = f"FROM docker.io/library/node:20.18.1-slim@sha256:{'2' * 64}\n"
FILES = {
    "server.js": "1",
    "package.json": "{}",
    "package-lock.json": "{}",
    "lib/a.js": "a",
    "lib/deep/b.js": "b",
    "test/t.js": "t",
    ".env": "secret",
}


class Docker:
    """The program as a job runs it, in a folder with a context."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.context = folder / "context"
        for name, text in FILES.items():
            self.file(name, text)
        assert self.run("buildx", "create", "--name", "shipmate", "--driver", "docker-container").returncode == 0

    def file(self, name: str, text: str) -> None:
        path = self.context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "SOURCE_DATE_EPOCH": "0",
            **env,
        }
        return subprocess.run(
            ["docker", *arguments], env=environ, cwd=self.folder, capture_output=True, text=True, check=False
        )

    def build(self, dockerfile: str, *more: str, to: str = "out") -> subprocess.CompletedProcess[str]:
        (self.folder / "Dockerfile").write_text(dockerfile)
        output = f"type=oci,tar=false,rewrite-timestamp=true,dest={self.folder / to}"
        fixed = ("--builder", "shipmate", "--platform", "linux/amd64", "--provenance=false", "--output", output)
        return self.run("buildx", "build", *fixed, *more, "--file", "Dockerfile", "context")

    def image(self, dockerfile: str, *more: str, to: str = "out") -> Made:
        done = self.build(dockerfile, *more, to=to)
        assert done.returncode == 0, done.stderr
        return Made(self.folder / to)

    def refusal(self, dockerfile: str) -> str:
        done = self.build(dockerfile)
        assert done.returncode == 1
        assert not (self.folder / "out").exists()
        return done.stderr.splitlines()[-1]


class Made:
    """A layout, with every digest checked while it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        index = json.loads((folder / "index.json").read_bytes())
        (entry,) = index["manifests"]
        self.digest = entry["digest"]
        self.manifest = json.loads(self.blob(entry))
        self.config: dict[str, Any] = json.loads(self.blob(self.manifest["config"]))
        self.layers = [gzip.decompress(self.blob(layer)) for layer in self.manifest["layers"]]
        assert [digest_of(layer) for layer in self.layers] == self.config["rootfs"]["diff_ids"]

    def blob(self, described: dict[str, Any]) -> bytes:
        content = (self.folder / "blobs/sha256" / described["digest"].removeprefix("sha256:")).read_bytes()
        assert (digest_of(content), len(content)) == (described["digest"], described["size"])
        return content

    def members(self) -> dict[str, tarfile.TarInfo]:
        """Of our own layers, by name."""
        found = {}
        for layer in self.layers[1:]:
            with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
                found |= {member.name: member for member in archive}
        return found

    def files(self) -> set[str]:
        return {name for name, member in self.members().items() if not member.isdir()}


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


def test_settings_go_into_the_configuration(docker: Docker) -> None:
    made = docker.image(
        FROM
        + """\
WORKDIR /srv
WORKDIR app
ENV A=1 B="two words" \\
    # a comment in between
    C=x=y
LABEL kind=service
EXPOSE 8080 9090/udp
USER node
ENTRYPOINT ["node", "--enable-source-maps"]
CMD ["server.js", "$HOME"]
""",
        "--label",
        "org.opencontainers.image.revision=abc",
    )
    settings = made.config["config"]
    assert settings["Env"] == [
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "NODE_VERSION=20.18.1",
        "A=1",
        "B=two words",
        "C=x=y",
    ]
    assert settings["WorkingDir"] == "/srv/app"
    assert settings["User"] == "node"
    assert settings["ExposedPorts"] == {"8080/tcp": {}, "9090/udp": {}}
    assert settings["Entrypoint"] == ["node", "--enable-source-maps"]
    assert settings["Cmd"] == ["server.js", "$HOME"]
    assert settings["Labels"] == {
        "kind": "service",
        "org.opencontainers.image.revision": "abc",
        "shipmate.rehearsal.stand-in": "true",
    }
    assert (made.config["os"], made.config["architecture"]) == ("linux", "amd64")
    assert made.layers[0] == gzip.decompress(stand_in_base("20.18.1", "node").layer)
    assert {"srv", "srv/app"} <= made.members().keys()
    layers = [entry for entry in made.config["history"] if not entry.get("empty_layer")]
    assert len(layers) == len(made.layers)


def test_an_entry_point_drops_the_bases_command_and_not_its_own(docker: Docker) -> None:
    assert docker.image(FROM, to="1").config["config"]["Cmd"] == ["node"]
    assert "Cmd" not in docker.image(f'{FROM}ENTRYPOINT ["node"]\n', to="2").config["config"]
    own = docker.image(f'{FROM}CMD ["a.js"]\nENTRYPOINT ["node"]\n', to="3").config["config"]
    assert own["Cmd"] == ["a.js"]


@pytest.mark.parametrize(
    ("copy", "files"),
    [
        ("COPY server.js .", {"app/server.js"}),
        ("COPY server.js /app", {"app/server.js"}),
        ("COPY server.js main.js", {"app/main.js"}),
        ("COPY server.js /main.js", {"main.js"}),
        ("COPY server.js /usr/", {"usr/server.js"}),
        ("COPY server.js /usr", {"usr/server.js"}),
        ("COPY server.js /new/", {"new/server.js"}),
        ("COPY package*.json ./", {"app/package.json", "app/package-lock.json"}),
        ("COPY server.js lib ./", {"app/server.js", "app/a.js", "app/deep/b.js"}),
        ("COPY lib ./lib", {"app/lib/a.js", "app/lib/deep/b.js"}),
        ("COPY lib/ lib/", {"app/lib/a.js", "app/lib/deep/b.js"}),
        ("COPY lib/*/b.js .", {"app/b.js"}),
        ("COPY /lib/a.js .", {"app/a.js"}),
        ('COPY ["server.js", "with space/"]', {"app/with space/server.js"}),
        ("COPY . .", {f"app/{name}" for name in FILES}),
        ("COPY lib lib2\nCOPY server.js lib2", {"app/lib2/a.js", "app/lib2/deep/b.js", "app/lib2/server.js"}),
    ],
)
def test_copy_puts_files_where_docker_does(docker: Docker, copy: str, files: set[str]) -> None:
    assert docker.image(f"{FROM}WORKDIR /app\n{copy}\n").files() == files


def test_owners_and_modes(docker: Docker) -> None:
    (docker.context / "server.js").chmod(0o755)
    (docker.context / "link").symlink_to("server.js")
    members = docker.image(f"{FROM}COPY --chown=node:0 . /app/\n").members()
    assert members["app"].uid == 0
    assert (members["app/server.js"].uid, members["app/server.js"].gid, members["app/server.js"].mode) == (
        1000,
        0,
        0o755,
    )
    assert {member.mtime for member in members.values()} == {0}
    assert members["app/link"].linkname == "server.js"


@pytest.mark.parametrize(
    ("ignored", "files"),
    [
        ("# nothing\n\n", set(FILES)),
        ("test\n.env", set(FILES) - {"test/t.js", ".env"}),
        ("**/*.js", {"package.json", "package-lock.json", ".env"}),
        ("*.js", set(FILES) - {"server.js"}),
        ("/lib/deep/", set(FILES) - {"lib/deep/b.js"}),
        ("*\n!lib/a.js\n!server.js", {"lib/a.js", "server.js"}),
        ("lib/**", set(FILES) - {"lib/a.js", "lib/deep/b.js"}),
        ("package?lock.json\n[s]erver.js", set(FILES) - {"package-lock.json", "server.js"}),
    ],
)
def test_what_dockerignore_leaves_out(docker: Docker, ignored: str, files: set[str]) -> None:
    docker.file(".dockerignore", f"{ignored}\n.dockerignore\n")
    assert docker.image(f"{FROM}COPY . /\n").files() == files


def test_the_dockerfiles_own_ignore_file_comes_first(docker: Docker) -> None:
    docker.file(".dockerignore", "*\n")
    (docker.folder / "Dockerfile.dockerignore").write_text("lib\ntest\n.*\n")
    assert docker.image(f"{FROM}COPY . /\n").files() == {"server.js", "package.json", "package-lock.json"}


def test_the_same_input_gives_the_same_image_and_another_base_another(docker: Docker) -> None:
    text = f"{FROM}COPY . /app/\n"
    first = docker.image(text, to="1").digest
    for path in docker.context.rglob("*"):
        os.utime(path, (1, 1))
    assert docker.image(text, to="2").digest == first
    assert docker.image(text.replace("2" * 64, "3" * 64), to="3").digest != first


def test_skopeo_finds_nothing_wrong_with_the_layout(docker: Docker) -> None:
    made = docker.image(f"{FROM}COPY . /app/\n")
    layout, copied = f"oci:{made.folder}", docker.folder / "copy"
    skopeo = [str(peers.find("skopeo")), "--insecure-policy", "copy", "--preserve-digests", layout, f"dir:{copied}"]
    subprocess.run(skopeo, check=True, capture_output=True)
    assert digest_of((copied / "manifest.json").read_bytes()) == made.digest


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("RUN npm ci --omit=dev", "Dockerfile:2: RUN npm ci --omit=dev: not supported in a rehearsal: it needs the base image's"),
        ("ARG VERSION=1", "Dockerfile:2: ARG VERSION=1: not supported"),
        ("ADD https://x.test/a /", "use COPY"),
        ("HEALTHCHECK CMD true", "it is none of FROM, WORKDIR, COPY"),
        ("VOLUME /data", "not supported"),
        ("STOPSIGNAL SIGINT", "not supported"),
        ("SHELL [\"bash\"]", "not supported"),
        ("CMD node server.js", "only the exec form"),
        ("ENTRYPOINT []", "only the exec form"),
        ("CMD [\"node\", 1]", "only the exec form"),
        ("COPY --from=build /x /y", "--from is not supported"),
        ("COPY --chmod=755 server.js /", "--chmod is not supported"),
        ("COPY --chown=www server.js /", "--chown=www"),
        ("COPY nothing.js /", '"/nothing.js": not found'),
        ("COPY *.py /", '"/*.py": not found'),
        ("COPY ../x /", "leads out of the context"),
        ("COPY server.js package.json /app", "must be a folder and end with /"),
        ("COPY server.js", "needs a source and a destination"),
        ("COPY <<EOF /x", "here-documents"),
        ("COPY $FILE /", "variables are not supported"),
        ("ENV A 1", "only the form key=value"),
        ("ENV A=$B", "variables are not supported"),
        ("ENV A=\"1", "quotes do not close"),
        ("WORKDIR a b", "names one folder"),
        ("EXPOSE 80-90", "only port"),
        ("USER $USER", "only a name"),
        ("FROM docker.io/library/node@sha256:" + "2" * 64, "one stage is supported"),
        ("USER", "it says nothing"),
        ("ENV A=1 \\", "is continued, and nothing follows"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_refused_with_its_line(docker: Docker, lines: str, message: str) -> None:
    assert message in docker.refusal(f"{FROM}{lines}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Dockerfile:1: it does not begin with FROM"),
        ("FROM node:20\n", "the base is not pinned"),
        (FROM.replace("library/node", "library/golang"), "bases called python and node"),
        (FROM.replace("FROM ", "FROM --platform=linux/arm64 "), "only linux/amd64"),
        (f"# escape=`\n{FROM}", "this parser directive is not supported"),
        (f"# syntax=example/other:1\n{FROM}", "this parser directive is not supported"),
    ],
)
def test_a_base_that_has_no_stand_in_is_refused(docker: Docker, text: str, message: str) -> None:
    assert message in docker.refusal(text)


def test_comments_and_a_name_for_the_stage_change_nothing(docker: Docker) -> None:
    text = FROM.replace("FROM ", "# syntax=docker/dockerfile:1.7\n# ours\nfrom --platform=linux/amd64 ").rstrip()
    assert docker.image(f"{text} AS app\n").config["config"]["Cmd"] == ["node"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ps",), "docker ps: this is the rehearsal's stand-in for docker"),
        (("push", "x"), "this is the rehearsal's stand-in for docker"),
        (("buildx", "inspect", "other"), 'no builder "other" found'),
        (("buildx", "create", "--name", "../x", "--driver", "docker-container"), "invalid builder name"),
        (("buildx", "create", "--name", "shipmate", "--driver", "docker-container"), "existing instance"),
        (("buildx", "build", "context"), "OCI exporter is not supported for the docker driver"),
        (("buildx", "build", "--builder", "other", "context"), 'no builder "other" found'),
        (("buildx", "build", "--builder", "shipmate", "--push", "context"), "unknown flag: --push"),
        (("buildx", "build", "--builder", "shipmate", "context"), "only --platform linux/amd64"),
        (("buildx", "build", "--builder"), "flag needs an argument"),
    ],
)
def test_calls_that_are_not_ours_are_refused(docker: Docker, arguments: tuple[str, ...], message: str) -> None:
    done = docker.run(*arguments)
    assert done.returncode == 1
    assert message in done.stderr


def test_times_of_two_builds_must_be_fixed(docker: Docker) -> None:
    (docker.folder / "Dockerfile").write_text(FROM)
    output = f"type=oci,tar=false,rewrite-timestamp=true,dest={docker.folder / 'out'}"
    fixed = ("--builder", "shipmate", "--platform", "linux/amd64", "--provenance=false", "--output", output)
    done = docker.run("buildx", "build", *fixed, "--file", "Dockerfile", "context", SOURCE_DATE_EPOCH="")
    assert "SOURCE_DATE_EPOCH is not set" in done.stderr
