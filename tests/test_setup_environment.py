from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import setup_environment
from pipelines.errors import LocalError
from pipelines.toolchain import home as homes
from pipelines.toolchain import python, world

ROOT = Path(__file__).resolve().parents[1]
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A checkout where nothing is there, and parts that are made by writing them down."""
    made: list[str] = []
    monkeypatch.setattr(setup_environment, "is_ready", lambda part, _: part in made)
    monkeypatch.setattr(setup_environment, "make", lambda part, _: made.append(part))
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    return made


def test_everything_is_made_once(machine: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert setup_environment.main([]) == 0
    assert machine == ["python", "node", "contracts", "services"]
    assert setup_environment.main([]) == 0
    assert len(machine) == 4


def test_one_part_alone(machine: list[str]) -> None:
    assert setup_environment.main(["--only", "node"]) == 0
    assert machine == ["node"]


def test_what_only_benchmarks_need_is_made_for_who_asks_for_it(machine: list[str]) -> None:
    assert setup_environment.main(["--only", "bench"]) == 0
    assert machine == ["bench"]


def test_force_looks_again(machine: list[str]) -> None:
    machine.append("python")
    assert setup_environment.main(["--only", "python", "--force"]) == 0
    assert machine == ["python", "python"]


def test_what_cannot_be_had_is_named_and_the_rest_is_made(
    machine: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(part: str, _: Path) -> None:
        if part == "node":
            raise LocalError("node is not installed", next_step="apt-get install nodejs")
        machine.append(part)

    monkeypatch.setattr(setup_environment, "make", make)
    assert setup_environment.main([]) == 11
    assert machine == ["python", "contracts", "services"]
    assert capsys.readouterr().err == "\nnot there: node is not installed\n  next: apt-get install nodejs\n"


def test_without_python_nothing_that_needs_it_is_tried(machine: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def make(part: str, _: Path) -> None:
        tried.append(part)
        raise LocalError("no")

    monkeypatch.setattr(setup_environment, "make", make)
    assert setup_environment.main([]) == 11
    assert tried == ["python"]


def test_it_needs_nothing_installed() -> None:
    file = str(ROOT / "setup_environment.py")
    prepared = f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = [{file!r}, '--help']"
    script = f"{prepared}; runpy.run_path({file!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--lock" in done.stdout


class TestWorld:
    """The parts that modules of the rehearsal bring."""

    @pytest.fixture
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(world, "MODULES", {"contracts": "fetching"})
        self.module(tmp_path, "print('contract github: there')")
        return tmp_path

    def module(self, root: Path, text: str) -> None:
        (root / "fetching.py").write_text(f"import sys\nopen('runs', 'a').write('x')\n{text}\n")

    def ensure(self, root: Path) -> list[str]:
        lines: list[str] = []
        world.ensure("contracts", python=Path(sys.executable), root=root, home=root / "home", say=lines.append)
        return lines

    def test_a_module_runs_once_for_each_version_of_it(self, place: Path) -> None:
        assert any("contract github: there" in line for line in self.ensure(place))
        assert self.ensure(place) == []
        assert (place / "runs").read_text() == "x"
        self.module(place, "print('newer')")
        self.ensure(place)
        assert (place / "runs").read_text() == "xx"

    def test_one_that_fails_runs_again_and_says_its_own_words(self, place: Path) -> None:
        self.module(place, "sys.exit('no browser: apt-get install chromium')")
        for _ in range(2):
            with pytest.raises(LocalError, match="no browser: apt-get install chromium"):
                self.ensure(place)
        assert (place / "runs").read_text() == "xx"


def candidates(version: str) -> Iterator[str]:
    """Where a Python of a version (`3.12`) may be: this one, on PATH, among those of pyenv."""
    if version == THIS:
        yield sys.executable
    on_path = shutil.which(f"python{version}")
    if on_path is not None:
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(str(path) for path in pyenv.glob(f"versions/{version}.*/bin/python3"))


def runs(interpreter: str, version: str) -> bool:
    """Version managers put a command on PATH for versions that are not chosen, too: it only says so."""
    asked = [interpreter, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    return (done.returncode, done.stdout.strip()) == (0, version)


def interpreters() -> dict[str, str]:
    """A Python of each supported version that this machine has; that of these tests is always among them."""
    found = {}
    for version in dict.fromkeys([THIS, *SUPPORTED]):
        fitting = next((path for path in candidates(version) if runs(path, version)), None)
        if fitting is not None:
            found[version] = fitting
    return found


def set_up_with(interpreter: str, checkout: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Set a copy of this checkout up, as `make setup PYTHON=…` does, as far as Python goes."""
    for name in ("actions", "e2e", "loadtests", "pipelines", "rehearsal", "release", "requirements"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in ("setup_environment.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    return subprocess.run(
        [interpreter, "setup_environment.py", "--only", "python"],
        cwd=checkout,
        env={**kept, "SHIPMATE_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.long
def test_every_python_of_this_machine_is_set_up(subtests: pytest.Subtests) -> None:
    """With the wheels of uv's cache when it has them: what these tests run in has come through it."""
    kept = homes.made(homes.folder() / "uv")
    # Beside the cache, on its disk: there the files of an environment are links to it, and cost neither time nor room.
    with tempfile.TemporaryDirectory(prefix=".set-up-", dir=kept.parent) as folder:
        home = homes.made(Path(folder) / "home")
        (home / "uv").symlink_to(kept)
        for version, interpreter in interpreters().items():
            with subtests.test(python=version):
                checkout = Path(folder) / version
                done = set_up_with(interpreter, checkout, home)
                if version != THIS and "the package registry cannot be reached" in done.stderr:
                    pytest.skip(
                        f"not looked at with Python {version}: its wheels are not in uv's cache, no registry answers"
                    )
                assert done.returncode == 0, done.stdout + done.stderr
                assert (checkout / ".venv" / "lib" / f"python{version}").is_dir()
                command = [checkout / ".venv" / "bin" / "shipmate", "--help"]
                result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
                assert (result.returncode, result.stdout[:15]) == (0, "Usage: shipmate"), result.stdout + result.stderr


@pytest.mark.parametrize("version", ["3.9.18", "3.10.13"])
def test_an_older_python_is_reported_what_to_name(version: str) -> None:
    numbers = tuple(map(int, version.split(".")))
    prepared = f"import sys; sys.version, sys.version_info = {f'{version} (main)'!r}, {numbers!r}"
    script = f"{prepared}; exec(compile(open('setup_environment.py').read(), 'setup_environment.py', 'exec'))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f"Python 3.11 or newer is needed, this is {version}. Name one that is there, 3.11 to 3.14: make setup PYTHON=python3.13\n"
    )


def asked_of_make(folder: Path, *more: str) -> str:
    done = subprocess.run(
        ["make", "-n", "-f", str(ROOT / "Makefile"), "setup", *more],
        cwd=folder, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_make_goes_on_with_the_python_that_was_chosen(tmp_path: Path) -> None:
    assert asked_of_make(tmp_path) == "python3 setup_environment.py"
    (tmp_path / ".venv/bin").mkdir(parents=True)
    chosen = tmp_path / ".venv/bin/python"
    chosen.symlink_to(sys.executable)
    assert asked_of_make(tmp_path) == ".venv/bin/python setup_environment.py"
    assert asked_of_make(tmp_path, "PYTHON=python3.12") == "python3.12 setup_environment.py"
    chosen.unlink()
    chosen.symlink_to(tmp_path / "uninstalled")
    assert asked_of_make(tmp_path) == "python3 setup_environment.py"


def test_this_very_checkout_is_set_up() -> None:
    """`make test` begins with the set-up: the environment these tests run in is the locked one."""
    assert python.holds(Path(sys.prefix), python.requirement_lines(ROOT, [python.DEV]))
