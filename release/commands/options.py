"""The options every release command has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from release.commands.console import FOLDER
from release.context import Workplace

_OPTIONS = (
    click.option("-C", "folder", default=".", metavar="DIR", help="The repository, as in git."),
    click.option(
        "--component", default="", metavar="NAME", help="Which one of release/components; the first unless told."
    ),
    click.option("--tag-format", default="", metavar="FORMAT", help="How tags are written, like 'v{version}'."),
    click.option("--commit", default="", metavar="COMMIT", help="Instead of HEAD."),
    click.option(
        "--branch", default=None, metavar="BRANCH", help="The branch the commit stands for, when HEAD is detached."
    ),
    click.option(
        "--repository", "repository_name", default="", metavar="OWNER/NAME", help="On GitHub; else from the remote."
    ),
    click.option("--no-manifest", is_flag=True, help="Do as if there were no shipmate.yml."),
)


def workplace_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options; the command gets a Workplace as `workplace`."""

    def run(
        *,
        folder: str,
        component: str,
        tag_format: str,
        commit: str,
        branch: str | None,
        repository_name: str,
        no_manifest: bool,
        **rest: Any,
    ) -> Any:
        workplace = Workplace(
            folder=Path(click.get_current_context().meta.get(FOLDER, ".")) / folder,
            component=component,
            tag_format=tag_format,
            commit=commit,
            branch=branch,
            repository_name=repository_name,
            use_manifest=not no_manifest,
        )
        return command(workplace=workplace, **rest)

    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    wrapped: Callable[..., Any] = run
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    # Options put on the command itself come after these.
    wrapped.__click_params__ = [*wrapped.__click_params__, *getattr(command, "__click_params__", [])]  # type: ignore[attr-defined]
    return wrapped
