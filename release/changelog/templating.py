"""A team's own templates of changelog and notes, in Jinja2: what they print is escaped unless it is ours; their data is all they reach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.errors import InputError
from release.changelog.markdown import cell, code, finalize


def load(file: Path) -> Callable[[dict[str, Any]], str]:
    """A template as a function of its variables.

    Raises InputError when it cannot be read; the function does when it cannot be filled. Both say file and line.
    """
    import jinja2

    try:
        environment = _environment()
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


def _environment() -> Any:
    """Markdown, not HTML, is what is escaped here: `finalize` does it for every expression."""
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
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
