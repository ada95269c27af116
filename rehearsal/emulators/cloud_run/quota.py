"""How much CPU the instances of one revision may have together: what Cloud Run asks before it takes a template.

The words are those of deployments that were refused (googlecodelabs/feedback#1856; before 2024 firebase/firebase-tools#5867).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.emulators.google.errors import GoogleError

UNLIMITED = -1
CpuLimit = Callable[[str, str], int]
"""(project, region) -> milli vCPU, or `UNLIMITED`."""


def no_limit(_project: str, _region: str) -> int:
    """Of a Cloud Run that stands alone."""
    return UNLIMITED


@dataclass(kw_only=True)
class Quota:
    """The limits, and in which of its two forms a refusal is put."""

    limit: CpuLimit = no_limit
    numbers: bool = True
    """Whether a refusal names what was requested and allowed, or only the most instances."""

    def require(self, project: str, region: str, template: Mapping[str, Any]) -> None:
        """Raises GoogleError INVALID_ARGUMENT for a template whose instances would have too much. One that does not say how many
        instances there may be gets as many as fit."""
        allowed = self.limit(project, region)
        most = template.get("scaling", {}).get("maxInstanceCount")
        containers = template.get("containers") or [{}]
        each = sum(
            milli_cpu(container.get("resources", {}).get("limits", {}).get("cpu", "1")) for container in containers
        )
        if allowed != UNLIMITED and most is not None and each * most > allowed:
            raise GoogleError("INVALID_ARGUMENT", self._words(each * most, allowed, allowed // each))

    def _words(self, requested: int, allowed: int, fit: int) -> str:
        more = "requesting an increase in quota for this region if you are seeing sustained usage near this limit"
        see = f"{more}, see https://cloud.google.com/run/quotas."
        if self.numbers:
            return (
                f"template.scaling.max_instance_count: Max instances must be set to {fit} or fewer to set the requested total CPU.\n"
                f"Consider running your workload in a region with greater capacity, or {see}\n\n"
                f"Quota violated:\nCpuAllocPerProjectRegion requested: {requested} allowed: {allowed}"
            )
        return (
            f"template.containers[0].resources.limits.cpu: Invalid value specified for cpu. For the specified value, maxScale may not "
            f"exceed {fit}.\nConsider running your workload in a region with greater capacity, decreasing your requested "
            f"cpu-per-instance, or {see}"
        )


def milli_cpu(text: str) -> int:
    """A quantity of CPU as Kubernetes writes it: "2", "0.5", "500m"."""
    return int(text[:-1]) if text.endswith("m") else round(float(text) * 1000)
