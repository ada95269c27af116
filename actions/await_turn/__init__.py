"""Wait until every earlier run of this workflow has ended, so that the newest goes out last."""

from __future__ import annotations

from actions.delivery import TOKEN
from pipelines.runtime import Input, Runtime, as_number

INPUTS = (Input(name="minutes", doc="How long at most.", default="30"), TOKEN)
OUTPUTS = ()


def main(runtime: Runtime) -> int:
    """Raises InputError, and ConflictError when earlier runs take too long."""
    values = runtime.inputs(INPUTS)
    from pipelines.flows import turn
    from pipelines.github import GitHub

    github = GitHub(
        runtime.environ["GITHUB_REPOSITORY"],
        values["token"],
        api_url=runtime.environ.get("GITHUB_API_URL") or "https://api.github.com",
    )
    waited = turn.wait(github, runtime, minutes=as_number("minutes", values["minutes"]))
    if waited:
        pages = ", ".join(f"[{page.rpartition('/')[2]}]({page})" for page in waited)
        runtime.summary(f"⏳ Waited for the earlier run(s) {pages}")
    return 0
