"""A plan in words: for a terminal, and for the summary that an approver reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.delivery.planning import Planned


def as_text(found: Planned) -> str:
    """For a terminal. Lines that begin with +, ~ or - are what comes, changes and goes."""
    made = found.plan
    lines = [
        f"Release {made.recorded.release} ({made.recorded.commit[:7]}) to {made.environment}; live now: {live(found)}",
        f"Plan {made.digest}",
        summary(found),
        "",
        *(f"  {line}" for line in components(found)),
    ]
    if not found.done_already:
        numbered = enumerate(made.steps, 1)
        lines += ["", "Steps:", *(f"  {number:2}. {step.component}: {step.says}" for number, (_, step) in numbered)]
    for title, message in sections(found):
        lines += ["", f"{title}:", *(f"  {line}" for line in message)]
    return "\n".join(lines)


def as_markdown(found: Planned) -> str:
    """For the summary of the run: what an approver reads. Titles from outside stand in a code block they cannot leave."""
    from pipelines.runtime import fenced

    made = found.plan
    head = (
        f"## {made.recorded.release} to {made.environment}\n\n"
        f"Live now: **{live(found)}** · commit `{made.recorded.commit[:7]}` · plan `{made.digest}`\n\n"
        f"{'✅ ' if found.done_already else ''}{summary(found)}"
    )
    parts = [head, fenced(chr(10).join(components(found)))]
    if not found.done_already:
        numbered = enumerate(made.steps, 1)
        steps = "\n".join(f"{number}. **{step.component}**: {step.says}" for number, (_, step) in numbered)
        parts.append(f"### What will happen\n\n{steps}")
    parts += [f"### {title}\n\n{fenced(chr(10).join(message))}" for title, message in sections(found)]
    return "\n\n".join(parts)


def summary(found: Planned) -> str:
    """The plan in one line."""
    if found.done_already:
        return "Released already: nothing to do."
    made = found.plan
    counts = [
        _count(len(made.steps), "step"),
        _count(found.changes.count, "commit"),
        _count(sum(len(each.expand) + len(each.contract) for each in made.facts), "migration"),
        _count(sum(each.mark != "?" for each in found.settings), "changed setting"),
    ]
    return f"{_count(len(made.facts), 'component')} to release: {', '.join(counts)}."


def _count(number: int | str, what: str) -> str:
    return f"{number} {what}" + ("" if str(number) == "1" else "s")


def components(found: Planned) -> list[str]:
    """A line for each component: new (+), changed (~) or the same (=)."""
    lines = []
    width = max(len(each.component) for each in found.plan.facts)
    for each in found.plan.facts:
        base, short = each.base, each.digest.partition(":")[2][:12]
        if base is None:
            lines.append(f"+ {each.component:{width}}  {each.release} ({short}), the first deployment")
        elif base.digest == each.digest:
            lines.append(f"= {each.component:{width}}  {base.release} → {each.release}, the same artifact ({short})")
        else:
            was = base.digest.partition(":")[2][:12]
            lines.append(
                f"~ {each.component:{width}}  {base.release or base.key} → {each.release} ({was or 'unknown'} → {short})"
            )
    return lines


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
        ("Unreviewed commits", unreviewed),
        ("Different from what the default branch says", found.compared),
        ("Settings that change", [each.as_text() for each in found.settings]),
        ("Performance", recorded.performance),
        ("Migrations", migrations(found) or ["none"]),
        (f"Changes {since} ({found.changes.count})", found.changes.lines()),
        ("Not known about the protection of this repository", unknown),
        ("Publishing it at the end", found.publishing),
    ]
    return [(title, message) for title, message in all_sections if message]


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
        "settings": [each.as_data() for each in found.settings],
        "migrations": [
            {"component": each.component, "file": file, "kind": kind}
            for each in made.facts
            for kind, files in (("expand", each.expand), ("contract", each.contract))
            for file in files
        ],
        "trials": [each.as_data() for each in found.trials],
        "protection": [finding.as_data() for finding in found.protections],
    }
