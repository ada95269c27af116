"""How long the assembler takes for the backend's image: everything known, and with the dependency layer made again.

`python -m benchmarks.images [--runs 5]`. The base is the rehearsal's stand-in, in the rehearsal's
registry. The goal: under 0.5 s when all is known.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from pipelines.http import Http
from pipelines.images.assemble import assemble
from pipelines.images.model import BuiltImage
from pipelines.images.registry import Registry
from pipelines.images.store import Store
from pipelines.manifest import load
from pipelines.overlay import Overlay
from rehearsal.emulators.registry.app import Registry as Emulator
from rehearsal.emulators.registry.base import seed_base
from rehearsal.serving import running

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 0.5
"""Seconds, warm."""
HOST = "europe-west1-docker.pkg.dev"


def measure(runs: int, folder: Path) -> tuple[float, float, float, int]:
    """Seconds cold (uv's own cache as it is), warm (median), to push (first time), and bytes of our layers."""
    component = load(ROOT / "shipmate.yml").components["backend"]
    assert component.image is not None
    emulator = Emulator(folder / "registry")
    base = f"{HOST}/library/python@{seed_base(emulator.repositories, 'library/python', 'slim')}"
    pinned = component.image.base if component.image else ""
    with running(emulator.app) as server:
        registry = Registry(Http(overlay=Overlay(hosts={HOST: server.url})), store=Store(folder / "store"))

        def once() -> float:
            started = time.perf_counter()
            built = assemble(
                component, ROOT, "HEAD", fetch=registry.fetch, store=registry.store, source="", bases={pinned: base}
            )  # fmt: skip
            digests.add(built.digest)
            images.append(built)
            return time.perf_counter() - started

        digests: set[str] = set()
        images: list[BuiltImage] = []
        cold = once()
        warm = statistics.median(once() for _ in range(runs))
        assert len(digests) == 1
        started = time.perf_counter()
        registry.push(images[-1], component.image.repository, ["bench"])
        push = time.perf_counter() - started
    return cold, warm, push, sum(blob.size for blob in images[-1].layers if blob.content is not None)


def main() -> None:
    """Print the figures; exit 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        cold, warm, push, size = measure(runs, Path(folder))
    print(
        f"image of the backend: {warm:.3f} s when all is known (goal {LIMIT} s), {cold:.2f} s with its dependencies installed again"
    )
    print(f"push of {size / 1e6:.1f} MB to the rehearsal's registry: {push:.2f} s")
    raise SystemExit(0 if warm < LIMIT else 1)


if __name__ == "__main__":
    main()
