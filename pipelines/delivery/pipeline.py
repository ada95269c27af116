"""The whole way of a release, on one screen: which job carries out which steps, in which order.

The workflows have these jobs (a test holds them equal), the plan document has these steps, and the jobs carry out exactly
them. Around the steps stand gates, which are not steps: preflight.py before anything is planned, approval/ before
anything is changed, and plan.py's comparison at the beginning of every job.
"""

from __future__ import annotations

from pipelines.delivery.steps.compare import Compare
from pipelines.delivery.steps.lock import TakeLock
from pipelines.delivery.steps.mark_failed import MarkFailed
from pipelines.delivery.steps.mark_stable import MarkStable
from pipelines.delivery.steps.migrate import Migrate
from pipelines.delivery.steps.publish import Publish
from pipelines.delivery.steps.restore import ConfirmRestored, MarkRestored, Restore
from pipelines.delivery.steps.shift import Shift
from pipelines.delivery.steps.smoke import Smoke
from pipelines.delivery.steps.source_maps import UploadSourceMaps
from pipelines.delivery.steps.stage import Stage
from pipelines.delivery.steps.verify import Verify
from pipelines.delivery.steps.verify_live import VerifyLive
from pipelines.steps import Job

PRODUCTION: tuple[Job, ...] = (
    Job(
        key="deploy",
        title="Deploy {component}",
        steps=(
            Migrate,  # what only adds, and what nothing that serves needs any more; killed half-way it goes on
            UploadSourceMaps,  # of a site, to its error tracker: from the first report on traces can be read
            Stage,  # the candidate beside what is live: nobody is sent there
            Verify,  # the smoke checks, at the candidate's own address
        ),
    ),
    # Check the candidate in a browser comes between, and Check production in a browser after: code of the release, no steps.
    Job(
        key="go-live",
        title="Go live",
        steps=(
            TakeLock,  # the next holder stops this delivery, wherever it is
            Compare,  # the candidate beside what is live, each at its own address: users see nothing of it
            Shift,  # component by component in the manifest's order, share by share, watched
            Smoke,  # all checks, where users are
            MarkStable,  # what a rollback may come back to; written at the provider
        ),
    ),
    Job(
        key="release",
        title="Create GitHub release",
        steps=(Publish,),  # users have it: now the world may know
    ),
)

STAGING: tuple[Job, ...] = (
    # Build {component} has run before, without any credentials; the deploying job pushes what it made, by digest.
    Job(key="deploy", title="Deploy {component}", steps=(Migrate, UploadSourceMaps, Stage, Verify)),
    Job(key="go-live", title="Go live", steps=(TakeLock, Shift, Smoke)),
    # Run E2E tests on staging comes between, which is code of the release: it has no credentials either.
    Job(key="prove", title="Mark as stable", steps=(TakeLock, MarkStable)),
)

DIRECT: tuple[Job, ...] = PRODUCTION[:2]
"""What a terminal carries out, in one process, where nobody approves; to publish is for runs."""

ROLLBACK: tuple[Job, ...] = (
    Job(
        key="rollback",
        title="Roll back",
        steps=(
            MarkFailed,  # and take the lock: what is under way stops, and a rollback that is killed is finished by the next one
            Restore,  # all components to one release, or a failed delivery to its base
            VerifyLive,  # from outside
            ConfirmRestored,  # where something was stopped: it may have had a write on its way
            MarkRestored,
        ),
    ),
)
