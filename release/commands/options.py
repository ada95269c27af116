"""The options every release command has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from pipelines.errors import InputError
from release.commands.console import FOLDER
from release.context import ReleaseContext

_OPTIONS = (
    click.option("-C", "folder", default=".", metavar="DIR", help="The repository, as in git."),
    click.option(
        "--component", default="", metavar="NAME", help="Which one of release/components; the first by default."
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


def context_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options; the command gets a ReleaseContext as `context`, which has its argument `version`, too, if it takes one."""

    def run(
        *,
        folder: str,
        component: str,
        tag_format: str,
        commit: str,
        branch: str | None,
        repository_name: str,
        no_manifest: bool,
        version: str | None = None,
        **rest: Any,
    ) -> Any:
        context = ReleaseContext(
            folder=Path(click.get_current_context().meta.get(FOLDER, ".")) / folder,
            version=version,
            component=component,
            tag_format=tag_format,
            commit=commit,
            branch=branch,
            repository_name=repository_name,
            use_manifest=not no_manifest,
        )
        return command(context=context, **rest)

    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    wrapped: Callable[..., Any] = run
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    # Options put on the command itself come after these.
    wrapped.__click_params__ = [*wrapped.__click_params__, *getattr(command, "__click_params__", [])]  # type: ignore[attr-defined]
    return wrapped


def pairs(given: Sequence[str]) -> dict[str, str]:
    """NAME=WHAT options as a mapping. Raises InputError, also for a name with two meanings."""
    found: dict[str, str] = {}
    for text in given:
        name, sign, what = text.partition("=")
        if not sign or not name or not what:
            raise InputError(f"{text!r} is not NAME=WHAT", next_step="write it like backend=sha256:5148…")
        if found.setdefault(name, what) != what:
            raise InputError(
                f"{name} is named twice, as {found[name]} and as {what}", next_step="name each once, with what is meant"
            )
    return found
