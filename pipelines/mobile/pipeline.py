"""The whole way of a release of the apps, on one screen: which job carries out which steps, in which order.

The workflow has these jobs (a test holds them equal), and they carry out exactly these steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from pipelines.mobile.steps.base import Step
from pipelines.mobile.steps.deliver import Deliver
from pipelines.mobile.steps.fetch import Fetch
from pipelines.mobile.steps.publish import Publish
from pipelines.mobile.steps.reserve import Reserve
from pipelines.mobile.steps.start import Start
from pipelines.mobile.steps.verify import Verify
from pipelines.steps import Job

if TYPE_CHECKING:
    from pipelines.manifest.mobile import Platform

RELEASE: tuple[Job, ...] = (
    Job(
        key="verify",
        title="Verify",
        steps=(
            Verify,  # reads only; whatever is wrong is reported at once, and nothing is built or used up
            Reserve,  # a number for each platform, by a ref that only one can create
        ),
    ),
    Job(
        key="build",
        title="Start the builds",
        steps=(Start,),  # here alone code of the app is beside a secret: the robot's token, and no other
    ),
    Job(
        key="deliver",
        title="Deliver {component}",
        steps=(
            Fetch,  # waits for the build; one that failed is reported with the part of its log that matters
            Deliver,  # Google Play, TestFlight: what is there is not sent again
        ),
    ),
    # Build again comes after, where a number turned out to be used: it dispatches this workflow at the same tag, once.
    Job(
        key="release",
        title="Create GitHub release",
        steps=(Publish,),  # testers have it on every platform
    ),
)


def steps_of(key: str, platforms: Sequence[Platform]) -> list[Step]:
    """The steps of a job, or of its leg for a platform, in their order."""
    (job,) = (each for each in RELEASE if each.key == key)
    return [step for kind in job.steps for step in cast("type[Step]", kind).of(platforms)]
