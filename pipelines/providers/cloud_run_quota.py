"""What Cloud Run says when the instances of a revision may have more CPU together than a project has in a region.

A new project has 20 vCPU. The words are those of deployments that were refused (googlecodelabs/feedback#1856; in an older form
firebase/firebase-tools#5867).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.errors import RefusedError, ShipmateError
from pipelines.providers.google_api import GoogleApi

if TYPE_CHECKING:
    import requests

_FIT = re.compile(r"Max instances must be set to (\d+) or fewer|maxScale may not exceed (\d+)")
_CPU = re.compile(r"CpuAllocPerProjectRegion requested: (\d+) allowed: (\d+)")
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
