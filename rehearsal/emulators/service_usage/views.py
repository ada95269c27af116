"""Services and quotas in the JSON of the API."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from rehearsal.emulators.service_usage.state import FRESH_CPU, Project

RUN = "run.googleapis.com"
CPU = "run.googleapis.com/cpu_allocation"
UNIT = "1/{project}/{region}"
REGIONS = ("europe-north1", "europe-west1", "europe-west3", "us-central1", "us-east1")
"""Shown beside those that have a limit of their own; the real list has all."""


def service_json(project: Project, service: str) -> dict[str, Any]:
    """The API's Service. Its configuration is left out but for its name."""
    return {
        "name": f"{project.name}/services/{service}",
        "parent": project.name,
        "config": {"name": service},
        "state": "ENABLED" if service in project.enabled else "DISABLED",
    }


def metric_json(project: Project, *, full: bool) -> dict[str, Any]:
    """The API's ConsumerQuotaMetric of Cloud Run's CPU. `full`: with a bucket for every region, not only for those that differ."""
    name = f"{project.name}/services/{RUN}/consumerQuotaMetrics/{quote(CPU, safe='')}"
    regions = sorted({*project.cpu, *(REGIONS if full else ())})
    limit = {
        "name": f"{name}/limits/{quote('/project/region', safe='')}",
        "metric": CPU,
        "unit": UNIT,
        "quotaBuckets": [_bucket(FRESH_CPU), *(_bucket(project.cpu_limit(each), each) for each in regions)],
        "supportedLocations": sorted({*project.cpu, *REGIONS}),
    }
    return {
        "name": name,
        "metric": CPU,
        "displayName": "Total CPU allocation, in milli vCPU, per project per region",
        "unit": "1",
        "consumerQuotaLimits": [limit],
    }


def _bucket(effective: int, region: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"effectiveLimit": str(effective), "defaultLimit": str(FRESH_CPU)}
    return {**found, "dimensions": {"region": region}} if region else found
