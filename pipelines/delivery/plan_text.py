"""A plan in words: for a terminal, and for the summary that an approver reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.delivery.planning import Planned


def as_text(found: Planned) -> str:
    """For a terminal."""
    made = found.plan
    lines = [
        f"Release {made.recorded.release} ({made.recorded.commit[:7]}) to {made.environment}; live now: {live(found)}",
        f"Plan {made.digest}" + ("; released already, nothing to do" if found.done_already else ""),
        "",
        *(f"  {number:2}. {step.component}: {step.says}" for number, (_, step) in enumerate(made.steps, 1)),
    ]
    for title, said in sections(found):
        lines += ["", f"{title}:", *(f"  {line}" for line in said)]
    return "\n".join(lines)


def as_markdown(found: Planned) -> str:
    """For the summary of the run: what an approver reads. Titles from outside stand in a code block they cannot leave."""
    from pipelines.runtime import fenced

    made = found.plan
    head = (
        f"## {made.recorded.release} to {made.environment}\n\n"
        f"Live now: **{live(found)}** · commit `{made.recorded.commit[:7]}` · plan `{made.digest}`"
    )
    if found.done_already:
        head += "\n\n✅ Released already: nothing to do."
    steps = "\n".join(f"{number}. **{step.component}**: {step.says}" for number, (_, step) in enumerate(made.steps, 1))
    parts = [head, f"### What will happen\n\n{steps}"]
    parts += [f"### {title}\n\n{fenced(chr(10).join(said))}" for title, said in sections(found)]
    return "\n\n".join(parts)


def sections(found: Planned) -> list[tuple[str, Sequence[str]]]:
    """What an approver reads beside the steps: (title, lines). Empty ones are left out, except what must be seen to be empty."""
    recorded, since = found.plan.recorded, f"since {live(found)}"
    unknown = [f"{each.subject}: {each.says}" for each in found.protections if each.state != "ok"]
    unreviewed = [
        " ".join(
            filter(None, (each.commit[:7], each.title, f"({', '.join(name or 'no account' for name in each.authors)})"))
        )
        for each in recorded.unreviewed
    ]
    all_sections: list[tuple[str, Sequence[str]]] = [
        ("Attention", recorded.warnings),
        ("Seen by nobody but their authors", unreviewed),
        ("Different from what the default branch says", found.compared),
        ("Performance", recorded.performance),
        ("Migrations", migrations(found) or ["none"]),
        (f"Changes {since} ({found.changes.count})", found.changes.lines()),
        ("Not known about the protection of this repository", unknown),
        ("Publishing it at the end", found.publishing),
    ]
    return [(title, said) for title, said in all_sections if said]


def migrations(found: Planned) -> list[str]:
    """Each migration that may run, with its kind and what it means for going back."""
    lines = []
    for each in found.plan.facts:
        stays = "before the candidate; earlier releases work with it, so going back stays possible"
        lines += [f"{file} (expand): {stays}" for file in each.expand]
        oldest = f"; the earliest release to go back to is then {each.base.release}" if each.base else ""
        lines += [f"{file} (contract): due now{oldest}" for file in each.contract]
    return [*lines, *(line for each in found.trials for line in each.lines())]


def live(found: Planned) -> str:
    """What is live, in a word or two."""
    names = dict.fromkeys((each.base.release or each.base.key) if each.base else "nothing" for each in found.plan.facts)
    return ", ".join(names)


def as_data(found: Planned) -> dict[str, Any]:
    """For machines."""
    from dataclasses import asdict

    made, changes = found.plan, found.changes
    return {
        "environment": made.environment,
        "release": made.recorded.release,
        "commit": made.recorded.commit,
        "plan": made.digest,
        "live": live(found),
        "released_already": found.done_already,
        "artifacts": dict(made.recorded.artifacts),
        "steps": [{"job": job.key, "says": step.says, **step.as_data()} for job, step in made.steps],
        "changes": [asdict(change) for change in changes.listed],
        "more_changes": changes.more,
        "lacks": changes.lacks,
        "unreviewed": [asdict(each) for each in made.recorded.unreviewed],
        "warnings": list(made.recorded.warnings),
        "performance": list(made.recorded.performance),
        "differences": list(found.compared),
        "migrations": [
            {"component": each.component, "file": file, "kind": kind}
            for each in made.facts
            for kind, files in (("expand", each.expand), ("contract", each.contract))
            for file in files
        ],
        "trials": [each.as_data() for each in found.trials],
        "protection": [finding.as_data() for finding in found.protections],
    }
