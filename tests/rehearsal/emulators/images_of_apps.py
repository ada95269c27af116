"""Small applications as images in a registry of the world."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping

from rehearsal.base_image import stand_in_base
from rehearsal.emulators.registry.blobs import digest_of
from rehearsal.emulators.registry.state import Repositories

HOST = "europe-west1-docker.pkg.dev"
NAME = "techmate-delivery/platform/backend"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"

SERVER = """
import http.server, json, os, signal, sys, threading, time

state = {"live": True, "ready": True}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one segment

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/crash":
            os._exit(3)
        if path in ("/half", "/endless"):
            return self.stream(path)
        if path == "/slow":
            time.sleep(1.0)
        if path in ("/break-live", "/break-ready"):
            state[path[7:]] = False
        if path == "/repair-ready":
            state["ready"] = True
        status = 503 if path[1:] in state and not state[path[1:]] else 200
        self.answer(status)

    def stream(self, path):
        self.send_response(200)
        self.send_header("Content-Length", "1000000000")
        self.end_headers()
        for _ in range(2000):
            self.wfile.write(b"piece\\n")
            self.wfile.flush()
            if path == "/half":
                os._exit(4)
            time.sleep(0.01)

    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        if self.headers.get("transfer-encoding") == "chunked":
            length = 0
            while size := int(self.rfile.readline(), 16):
                length += len(self.rfile.read(size)); self.rfile.readline()
            self.rfile.readline()
        else:
            self.rfile.read(length)
        self.answer(200, received=length)

    def do_HEAD(self):
        self.answer(200)

    def answer(self, status, **more):
        body = json.dumps({
            "version": VERSION, "env": dict(os.environ), "argv": sys.argv, "cwd": os.getcwd(), "pid": os.getpid(),
            "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, **more,
        }).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format, *args):
        print(format % args, flush=True)

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

server = Server(("127.0.0.1", int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print("started", VERSION, flush=True)
server.serve_forever()
print("ended", VERSION, flush=True)
"""


def tar_layer(files: Mapping[str, str], *, mode: int = 0o644) -> bytes:
    """A gzipped layer of text files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), mode
            tar.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(buffer.getvalue(), mtime=0)


def put_image(
    repositories: Repositories, tag: str, layers: list[bytes], config: Mapping[str, object], name: str = NAME
) -> str:
    """Push an image on the stand-in base; its digest."""
    base = stand_in_base()
    blobs = [base.layer, *layers]
    configuration = {
        "architecture": "amd64",
        "os": "linux",
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [digest_of(gzip.decompress(blob)) for blob in blobs]},
    }
    content = json.dumps(configuration).encode()
    repository = repositories.writable(name)
    for blob in (content, *blobs):
        repository.blobs.add(repositories.blobs.put(blob))
    layer_type = "application/vnd.oci.image.layer.v1.tar+gzip"
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest_of(content),
            "size": len(content),
        },
        "layers": [{"mediaType": layer_type, "digest": digest_of(blob), "size": len(blob)} for blob in blobs],
    }
    return repositories.put_manifest(name, tag, MANIFEST, json.dumps(manifest).encode())


def put_server(repositories: Repositories, version: str, *, script: str = "", name: str = NAME) -> str:
    """An image that serves HTTP and describes itself; its reference by digest."""
    source = script or SERVER.replace("VERSION", json.dumps(version))
    config = {
        "Entrypoint": ["python", "/app/main.py"],
        "Cmd": ["--root=/app"],
        "Env": ["PATH=/app/bin:/usr/local/bin:/usr/bin", "PYTHONPATH=/app/deps:/app", "GREETING=hello"],
        "WorkingDir": "/app",
    }
    layers = [tar_layer({"app/deps/dependency.py": "VALUE = 1\n"}), tar_layer({"app/main.py": source})]
    digest = put_image(repositories, version, layers, config, name)
    return f"{HOST}/{name}@{digest}"
