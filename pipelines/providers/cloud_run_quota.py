"""The quota of CPU: instances of a revision may not have more together than a project has in a region, 20 vCPU when it is new.

Source: discovery document serviceusage.v1beta1 (ConsumerQuotaMetric). The words of refusals are those of deployments that were refused
(googlecodelabs/feedback#1856; in an older form firebase/firebase-tools#5867).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelines.errors import RefusedError, ShipmateError
from pipelines.providers.google_api import GoogleApi

if TYPE_CHECKING:
    import requests

    from pipelines.http import Http
    from pipelines.manifest.targets import CloudRun

_PAGES = 20
_FIT = re.compile(r"Max instances must be set to (\d+) or fewer|maxScale may not exceed (\d+)")
_CPU = re.compile(r"CpuAllocPerProjectRegion requested: (\d+) allowed: (\d+)")
SERVICE_USAGE = "https://serviceusage.googleapis.com/v1beta1"
METRIC = "run.googleapis.com/cpu_allocation"
MORE = "https://cloud.google.com/run/quotas"


class RunApi(GoogleApi):
    """The Admin API; it names the key of the manifest when a quota is too small."""

    def refusal(self, answer: requests.Response, where: str) -> ShipmateError:
        error = super().refusal(answer, where)
        message = getattr(error, "message", "")
        return quota_refused(message, where) if _FIT.search(message) else error


def quota_refused(message: str, where: str) -> RefusedError:
    """The refusal in our words. `message` is Cloud Run's."""
    found, numbers = _FIT.search(message), _CPU.search(message)
    fit = next((group for group in found.groups() if group), "0") if found else "0"
    asked = f": {int(numbers[1]) / 1000:g} vCPU asked for, {int(numbers[2]) / 1000:g} allowed" if numbers else ""
    lower = (
        f"set `scaling: {{max: {fit}}}` of the component"
        if int(fit)
        else "lower `cpu` or `scaling/max` of the component"
    )
    return RefusedError(
        f"more instances than the region's quota of CPU has room for{asked}",
        where=where,
        why="instances at the most, times the CPUs of each, must fit into what the project may have in the region; a new project has 20",
        next_step=f"{lower} in shipmate.yml, or ask Google for more ({MORE}), and run this again",
    )


def cpu_limit(http: Http, token: Callable[[], str], project: str, region: str) -> int | None:
    """Milli vCPU that a project may have in a region; -1 for no limit, None where nothing says so. Raises CredentialsError where it may
    not be read, GoogleRefused, ProviderUnavailable."""
    path = f"projects/{project}/services/run.googleapis.com/consumerQuotaMetrics"
    pages = GoogleApi(http, token, SERVICE_USAGE).pages(path, {"view": "FULL", "pageSize": "100"}, most=_PAGES)
    metrics = [metric for page in pages for metric in page.get("metrics", ()) if metric.get("metric") == METRIC]
    limits = [limit for metric in metrics for limit in metric.get("consumerQuotaLimits", ())]
    # The buckets of a limit go from the least specific to the most: the last that is of the region counts.
    found = [
        int(bucket["effectiveLimit"])
        for limit in limits
        for bucket in limit.get("quotaBuckets", ())
        if bucket.get("dimensions", {}).get("region", region) == region and "effectiveLimit" in bucket
    ]
    return found[-1] if found else None


def too_little(limit: int | None, cpu: str, target: CloudRun) -> tuple[str, ...]:
    """Why a deployment would be refused, in words; nothing when it fits, or when the limit is not known. Pure."""
    each, most = milli(cpu), target.scaling.max
    if limit is None or limit < 0 or each * most <= limit:
        return ()
    allowed = f"{target.project} may have {limit / 1000:g} vCPU in {target.region}, so {limit // each} fit"
    return (
        f"{target.service}: Cloud Run will refuse {most} instances of {each / 1000:g} vCPU: {allowed} (`scaling/max` in shipmate.yml, "
        f"or more quota: {MORE})",
    )


def milli(cpu: str) -> int:
    """Milli vCPU of a quantity as Cloud Run takes it: "2", "0.5", "1000m"."""
    return int(cpu[:-1]) if cpu.endswith("m") else round(float(cpu) * 1000)
