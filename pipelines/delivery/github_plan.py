"""What GitHub's plan leaves out: a private repository on Free has no environments, none of their secrets, and no rulesets.

A job there may still name an environment: GitHub runs it without asking anybody, and gives it the secrets of the repository. A job's token
cannot read the plan; rules are refused in words of their own, which no lack of a permission has.
Sources: docs.github.com/actions/how-tos/deploy/configure-and-manage-deployments/manage-environments,
docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/about-rulesets
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipelines.errors import CredentialsError
from pipelines.findings import Finding

if TYPE_CHECKING:
    from pipelines.github import GitHub

REFUSAL = "or make this repository public to enable this feature"
"""Of GitHub's answer 403, wherever the plan has no rules; before it stands the plan that has them."""


def protects_nothing(github: GitHub, main: str) -> bool:
    """Whether this is a private repository on Free. `main`: the default branch. Raises CredentialsError where not even that can be read,
    ProviderUnavailable."""
    try:
        github.json("GET", f"/repos/{github.name}/rules/branches/{quote(main, safe='')}?per_page=100")
    except CredentialsError as error:
        if REFUSAL not in error.what:
            raise
        return True
    return False


def finding(github: GitHub, environment: str, manifest_file: str) -> Finding:
    """What lacks, and the way without."""
    return Finding(
        subject=f"GitHub's plan of {github.name}",
        state="missing",
        says="a private repository on Free has no environments, no secrets of environments, no reviewers and no rules: "
        "anyone who may push can change main, and read every secret",
        fix="Settings → Billing and plans → GitHub Pro or Team (reviewers: Enterprise), or make the repository public; or go without: "
        f"`accept_unprotected: …` of {environment} in {manifest_file}, secrets by `gh secret set NAME` in the repository, "
        "and people approve by comment on an issue",
    )


def secrets(github: GitHub, needs: Sequence[str]) -> Iterator[Finding]:
    """Whether the repository holds what jobs need, where environments cannot. Only names can be read."""
    listed = github.json("GET", f"/repos/{github.name}/actions/secrets?per_page=100")["secrets"]
    names = {each["name"] for each in listed}
    lacks, subject = [name for name in needs if name not in names], "secrets of the repository"
    if lacks:
        fix = " && ".join(f"gh secret set {name}" for name in lacks)
        yield Finding(subject=subject, state="missing", says=f"no {', '.join(lacks)}", fix=fix)
    elif needs:
        yield Finding(
            subject=subject, state="ok", says=f"holds {', '.join(needs)}, which a workflow of any branch can read"
        )
