"""Wait until every earlier run of this workflow has ended, so that the newest goes out last."""

from __future__ import annotations

from actions.delivery import TOKEN, github
from pipelines.runtime import Input, Runtime, as_number

INPUTS = (Input(name="minutes", doc="How long at most.", default="30"), TOKEN)
OUTPUTS = ()


def main(runtime: Runtime) -> int:
    """Raises InputError, and ConflictError when earlier runs take too long."""
    values = runtime.inputs(INPUTS)
    from pipelines.delivery import turn

    waited = turn.wait(github(runtime, values["token"]), runtime, minutes=as_number("minutes", values["minutes"]))
    if waited:
        pages = ", ".join(f"[{page.rpartition('/')[2]}]({page})" for page in waited)
        runtime.summary(f"⏳ Waited for the earlier run(s) {pages}")
    return 0
