"""A visit to the server of known latencies that makes something, finds it and removes it."""

from __future__ import annotations

from dataclasses import replace

from pipelines.manifest.model import Journey, JourneyRequest

ITEMS = Journey(
    component="backend",
    requests=(
        JourneyRequest(method="POST", path="/items", body='{"text": "{visit}"}', status=201, save={"item": "id"}),
        JourneyRequest(path="/items", contains=("{item}",), think_seconds=0.05),
        JourneyRequest(method="DELETE", path="/items/{item}", status=204, always=True, think_seconds=0.05),
    ),
)
SLOWLY = replace(ITEMS, requests=tuple(replace(request, think_seconds=5.0) for request in ITEMS.requests))
