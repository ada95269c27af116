"""`shipmate release plan`: what publishing would do, and whether it may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from release.commands import console
from release.commands.options import context_options
from release.commands.publish import contents_options, request_of
from release.context import ReleaseContext

if TYPE_CHECKING:
    from release.publishing.publish import Preview


@click.command("plan", short_help="What publishing would do, and whether it may.")
@click.option("--notes", "with_notes", is_flag=True, help="The notes as well.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@contents_options
@context_options
def command(context: ReleaseContext, with_notes: bool, as_json: bool, **contents: Any) -> None:
    """The version, each gate's answer, and every step to a published release. Nothing is written.

    Exits with the code of the first gate that does not hold, 0 when all do.

    \b
    Examples:
      shipmate release plan
      shipmate release plan v1.2.0 --notes
    """
    from release.publishing.gates import Closed
    from release.publishing.publish import preview

    with console.busy("asking GitHub"):
        found = preview(context, request_of(context, contents))
    if as_json:
        console.as_json(_json(found))
    else:
        click.echo(_text(found, with_notes=with_notes))
    closed = next((answer.error for answer in found.answers if isinstance(answer, Closed)), found.blocked)
    if closed is not None:
        raise closed


def _text(found: Preview, *, with_notes: bool) -> str:
    from release.publishing.gates import Passed

    desired, section = found.ready.desired, found.ready.section
    since = f" after {section.previous.tag}" if section.previous else ""
    kind = "pre-release" if desired.prerelease else "latest" if desired.latest else "not the latest"
    lines = [f"{click.style(desired.tag, bold=True)}{since}, {kind}, from {desired.commit[:9]}"]
    lines += [f"{click.style('warning', fg='yellow')}: {warning}" for warning in found.ready.preparation_warnings]
    lines += ["", "gates"]
    for answer in found.answers:
        if isinstance(answer, Passed):
            lines.append(f"  {click.style('✓', fg='green')} {answer.gate}: {answer.says}")
        else:
            lines.append(f"  {click.style('✗', fg='red')} {answer.gate}: {answer.error.what}")
    lines += ["", "steps"]
    lines += [f"  {number}. {step.what}" for number, step in enumerate(found.steps, 1)]
    if found.blocked is not None:
        lines.append(f"  {click.style('✗', fg='red')} {found.blocked.what}")
    elif not found.steps:
        lines.append("  none: it is out already, with all its files")
    lines += [f"  then dispatch {workflow}" for workflow in found.dispatches]
    return "\n".join([*lines, "", "notes", "", desired.body] if with_notes else lines)


def _json(found: Preview) -> dict[str, Any]:
    from release.publishing.gates import Passed

    desired = found.ready.desired
    return {
        "tag": desired.tag,
        "commit": desired.commit,
        "previous": found.ready.section.previous.tag if found.ready.section.previous else None,
        "prerelease": desired.prerelease,
        "latest": desired.latest,
        "warnings": list(found.ready.preparation_warnings),
        "gates": [
            {"gate": answer.gate, "holds": True, "says": answer.says}
            if isinstance(answer, Passed)
            else {"gate": answer.gate, "holds": False, "says": answer.error.what, "exit_code": answer.error.exit_code}
            for answer in found.answers
        ],
        "steps": [step.what for step in found.steps],
        "blocked": found.blocked.what if found.blocked else None,
        "then_dispatch": list(found.dispatches),
        "files": {
            file.name: file.digest
            for file in (found.ready.contents.finished.assets if found.ready.contents.finished else desired.files)
        },
        "notes": desired.body,
    }
