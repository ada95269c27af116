"""Memory of a process that uploads a bundle of 200 MB to the emulated Google Play: beside one that reads the file at once.

`python -m benchmarks.mobile_upload`
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = "test.acme.shop"
MEGABYTES = 200
WAYS = {
    "in pieces": "play.upload(play.open(), file)",
    "read at once": "file.read_bytes(); play.upload(play.open(), file)",
}
CLIENT = """
import sys
from pathlib import Path
from pipelines.http import Http
from pipelines.overlay import Overlay
from pipelines.providers.google_play import Play
host, url, file = "androidpublisher.googleapis.com", sys.argv[1], Path(sys.argv[2])
play = Play(Http(overlay=Overlay(hosts={{host: url}})), lambda: "token", {package!r})
{way}
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")))
"""


def measured(way: str, url: str, file: Path) -> float:
    """The most that the client's process had in memory, in MB."""
    code = CLIENT.format(package=PACKAGE, way=way)
    ran = subprocess.run([sys.executable, "-c", code, url, str(file)], capture_output=True, text=True, check=True)
    return int(ran.stdout) / 1024


def main() -> None:
    from rehearsal.android_bundle import UploadKey, write
    from rehearsal.emulators.google_play.app import GooglePlay
    from rehearsal.serving import running

    with tempfile.TemporaryDirectory() as folder:
        play, key = GooglePlay(Path(folder) / "play", packages=[PACKAGE]), UploadKey.new()
        with running(play.app, "play") as server:
            print(f"a bundle of {MEGABYTES} MB\n")
            print("| way | memory of the client |\n|---|--:|")
            for number, (name, way) in enumerate(WAYS.items(), start=2):
                file = Path(folder) / f"{number}.aab"
                padding = os.urandom(MEGABYTES * 1_000_000)
                write(file, package=PACKAGE, version_code=number, version_name="1.0.1", key=key, padding=padding)
                print(f"| {name} | {measured(way, server.url, file):.0f} MB |")


if __name__ == "__main__":
    main()
