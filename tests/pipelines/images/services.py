"""A small service of Node with a Dockerfile, and the rehearsal's docker that builds it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.manifest.components import Component, Image
from rehearsal.runner.actions import PROGRAMS

REPOSITORY = "europe-west1-docker.pkg.dev/techmate-delivery/platform/hello"
HELLO = Component(
    paths=("apps/hello/**",),
    image=Image(repository=REPOSITORY, builder="buildx", dockerfile="apps/hello/Dockerfile", context="apps/hello"),
)
_SERVER = """\
const http = require("node:http");
const { greeting } = require("./lib/greeting.js");
const answers = {
  "/health": () => ({ status: "ok" }),
  "/health/ready": () => ({ status: "ok" }),
  "/health/live": () => ({ status: "ok" }),
  "/version": () => ({ release: process.env.RELEASE || "", commit: process.env.COMMIT || "" }),
  "/hello": () => ({ greeting: greeting(), env: process.env, cwd: process.cwd(), argv: process.argv }),
};
const server = http.createServer((request, response) => {
  const answer = answers[request.url.split("?")[0]];
  const body = JSON.stringify(answer ? answer() : { error: "not found" });
  response.writeHead(answer ? 200 : 404, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
});
process.on("SIGTERM", () => server.close(() => process.exit(0)));
server.listen(Number(process.env.PORT));
"""
HELLO_FILES = {
    "apps/hello/Dockerfile": f"""\
# syntax=docker/dockerfile:1
FROM docker.io/library/node:20-slim@sha256:{"2" * 64}
WORKDIR /srv/hello
ENV NODE_ENV=production GREETING="hello there"
COPY server.js package*.json ./
COPY lib ./lib
EXPOSE 8080
USER node
CMD ["node", "server.js"]
""",
    "apps/hello/server.js": _SERVER,
    "apps/hello/package.json": '{"name": "hello", "private": true}\n',
    "apps/hello/lib/greeting.js": "exports.greeting = () => process.env.GREETING;\n",
    "apps/hello/.dockerignore": "test\n",
    "apps/hello/test/server.test.js": "// no part of the image\n",
    "README.md": "hello\n",
}


def docker_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rehearsal's docker is the one on PATH; what it remembers goes to `folder`."""
    monkeypatch.setenv("PATH", f"{PROGRAMS}:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
