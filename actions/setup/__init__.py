"""Python with the suite's locked requirements on PATH; Node modules and a browser where asked for.

Runs on the bare interpreter: nothing is installed yet. An environment that holds what is asked for (SHIPMATE_VENV) is used as it is.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

from pipelines.ci.rehearsing import is_rehearsal
from pipelines.errors import InputError, LocalError
from pipelines.runtime import Input, Output, Runtime
from pipelines.toolchain import eas, node, python
from pipelines.toolchain import home as homes

TITLE = "Set up"
BEFORE = """\
    - name: Python
      uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
      with:
        python-version: ${{ inputs.python-version }}
    - name: Node
      if: inputs.node != '' || inputs.eas == 'true' || inputs.app != ''
      uses: actions/setup-node@820762786026740c76f36085b0efc47a31fe5020 # v7.0.0
      with:
        node-version: ${{ inputs.node-version }}
        # Nothing that a pull request can write is restored into a job.
        package-manager-cache: false
"""
"""Steps of action.yml before ours."""
STEP = "Environment"
INPUTS = (
    Input(name="python-version", doc="Which Python.", default="3.11"),
    Input(
        name="requirements",
        doc="What to install, runtime (the suite's own) or dev (also what tests and linters need).",
        default="runtime",
    ),
    Input(
        name="extra",
        doc="A locked requirements file of the workspace to install as well; for repositories that bring their own.",
    ),
    Input(
        name="node",
        doc="Folders of the workspace that need Node, separated by blanks; the modules each one locks are installed.",
    ),
    Input(name="node-version", doc="Which Node, where one is needed; the apps and eas need 20.19.", default=">=20.19"),
    Input(name="eas", doc="true gets the program eas, in the version that the suite was tried with.", default="false"),
    Input(
        name="app",
        doc="Folder of the workspace with an app that eas works on: the modules it locks are installed, and Node with them.",
    ),
    Input(name="browser", doc="true gets what browser tests need (implies dev).", default="false"),
)
OUTPUTS = (Output(name="venv", doc="The folder of the Python environment."),)

ROOT = Path(__file__).resolve().parents[2]
BROWSER = "SHIPMATE_BROWSER"
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
"""What the browser tests look for on PATH when the variable names none."""


def main(runtime: Runtime) -> int:
    given = runtime.inputs(INPUTS)
    workspace = Path(runtime.environ.get("GITHUB_WORKSPACE") or Path.cwd())
    home = _home(runtime)
    files = _files(given, workspace)
    venv = _environment(runtime, files, given["python-version"], home)
    runtime.path(venv / "bin")
    runtime.output("venv", str(venv))
    for name in given["node"].split():
        _modules(_inside(workspace, name), home, runtime)
    if given["app"]:
        _app(_inside(workspace, given["app"]), home, runtime)
    if given["eas"] == "true" and (program := eas.ensure(ROOT, home, runtime.say)) is not None:
        runtime.path(program)
    if given["browser"] == "true":
        _browser(runtime, venv, home)
    return 0


def _files(given: dict[str, str], workspace: Path) -> list[str]:
    """The requirement files, those of the suite relative to it. Raises InputError."""
    known = {"runtime": python.RUNTIME, "dev": python.DEV}
    if given["requirements"] not in known:
        raise InputError(
            f"requirements is {given['requirements']!r}", where="setup", next_step=f"use one of {', '.join(known)}"
        )
    for name in ("browser", "eas"):
        if given[name] not in ("true", "false"):
            raise InputError(f"{name} is {given[name]!r}", where="setup", next_step="use true or false")
    first = known["dev" if given["browser"] == "true" else given["requirements"]]
    return [first, *([str(_inside(workspace, given["extra"]))] if given["extra"] else [])]


def _inside(workspace: Path, name: str) -> Path:
    """A path of the workspace that exists. Raises InputError."""
    path = (workspace / name).resolve()
    if not path.is_relative_to(workspace.resolve()) or not path.exists():
        raise InputError(
            f"{name!r} is not in the workspace", where="setup", next_step="check out first; name it from the root"
        )
    return path


def _serves(offered: Path, files: list[str], version: str) -> bool:
    """Whether an environment made elsewhere holds these requirements, on the asked Python (`3.11`, or `3.11.7`).

    Or on the Python that runs this: where the asked one is not to be had, as in a rehearsal on a machine with a newer one,
    an environment of this job's own would have that too.
    """
    pythons = [line.split()[1] for line in python.stamp(offered) if line.startswith("python ")]
    fits = any(f"{found}.".startswith(f"{version}.") or found == platform.python_version() for found in pythons)
    return fits and python.holds(offered, python.requirement_lines(ROOT, files))


def _environment(runtime: Runtime, files: list[str], version: str, home: Path) -> Path:
    """The one that is offered, when it holds what is asked for; else one of this job's own. Raises LocalError."""
    offered = runtime.environ.get("SHIPMATE_VENV")
    if offered and _serves(Path(offered), files, version):
        runtime.say(f"python    {offered} holds what is needed")
        return Path(offered)
    own = Path(runtime.environ.get("RUNNER_TEMP") or home / "venvs") / "shipmate-venv"
    if python.holds(own, python.wanted(ROOT, files)):
        return own
    from pipelines.toolchain import uv

    homes.made(own.parent)
    with homes.locked(home, runtime.say):
        python.build(own, files, uv=uv.ensure(home, runtime.say), root=ROOT, home=home, say=runtime.say)
    runtime.say(f"python    {platform.python_version()} in {own}")
    return own


def _modules(folder: Path, home: Path, runtime: Runtime) -> None:
    """Raises LocalError."""
    if node.has_modules(folder):
        node.ensure(folder, home, runtime.say)
    else:
        runtime.say(f"node      {folder.name} locks no modules: Node alone")


def _app(folder: Path, home: Path, runtime: Runtime) -> None:
    """Raises LocalError. A rehearsal's eas evaluates nothing of an app, so it needs none of its 400 MB of packages."""
    if is_rehearsal(runtime.environ):
        runtime.say(f"node      the packages of {folder.name} are not fetched in a rehearsal")
    else:
        _modules(folder, home, runtime)


def _home(runtime: Runtime) -> Path:
    """The named one; else the one an offered environment was made with; else the user's."""
    offered = runtime.environ.get("SHIPMATE_VENV")
    if offered and "SHIPMATE_HOME" not in runtime.environ:
        kept = next((line for line in python.stamp(Path(offered)) if line.startswith("home ")), None)
        if kept:
            return Path(kept.removeprefix("home "))
    return homes.folder(runtime.environ)


def _browser(runtime: Runtime, venv: Path, home: Path) -> None:
    """The one that is there; else one that is fetched, named for the later steps. Raises LocalError saying how to get one."""
    import shutil
    import subprocess

    named = runtime.environ.get(BROWSER) or next(filter(None, map(shutil.which, BROWSERS)), None)
    if named:
        runtime.say(f"browser   {named}")
        return
    found = subprocess.run(
        [venv / "bin" / "python", "-P", "-c", "from rehearsal.services import browser; print(browser.get().path)"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "SHIPMATE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        why = (found.stderr.strip().splitlines() or [f"exit code {found.returncode}"])[-1]
        raise LocalError(
            "no browser could be had",
            where="setup",
            why=why,
            next_step="get one as described above, or run on ubuntu-latest",
        )
    runtime.export(BROWSER, found.stdout.strip())
    runtime.say(f"browser   {found.stdout.strip()}")
