"""Jinja2 for changelog and notes: everything printed is escaped unless it is ours; a team's own template cannot reach past its data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.errors import InputError
from release.changelog.markdown import cell, code, finalize

BUILT_IN = Path(__file__).parent / "templates"


def load(name: str, own: Path | None = None) -> Callable[[dict[str, Any]], str]:
    """A template as a function of its variables: a team's `own` file, or the built-in `name`.

    Raises InputError when it cannot be read; the function does when it cannot be filled. Both say file and line.
    """
    import jinja2

    file = own or BUILT_IN / name
    try:
        environment = _environment(sandboxed=own is not None)
        template = environment.from_string(file.read_text())
    except OSError as error:
        raise InputError(f"the template cannot be read: {error}", where=str(file)) from error
    except jinja2.TemplateSyntaxError as error:
        raise InputError(f"the template is wrong: {error.message}", where=f"{file}:{error.lineno}") from error

    # One context for all fillings: making one costs more than filling a section, and there are thousands.
    shared: dict[str, Any] = dict(environment.globals)
    context = template.new_context(shared, shared=True)

    def fill(values: dict[str, Any]) -> str:
        shared.update(values)
        context.vars.clear()
        context.exported_vars.clear()
        try:
            return "".join(template.root_render_func(context))
        except jinja2.TemplateError as error:
            raise InputError(
                f"the template cannot be filled: {error}",
                where=str(file),
                next_step="docs/RELEASES.md lists what it is given",
            ) from error

    return fill


def _environment(*, sandboxed: bool) -> Any:
    """Markdown, not HTML, is what is escaped here: `finalize` does it for every expression."""
    import jinja2

    kind: Any = jinja2.Environment
    if sandboxed:
        from jinja2.sandbox import ImmutableSandboxedEnvironment as kind
    environment = kind(
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        autoescape=False,
    )
    environment.filters.update(cell=cell, code=code)
    return environment
