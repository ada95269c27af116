from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import setup_environment
from pipelines.errors import LocalError
from pipelines.toolchain import python, world

ROOT = Path(__file__).resolve().parents[1]


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
        said: list[str] = []
        world.ensure("contracts", python=Path(sys.executable), root=root, home=root / "home", say=said.append)
        return said

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


def test_this_very_checkout_is_set_up() -> None:
    """`make test` begins with the set-up: the environment these tests run in is the locked one."""
    assert python.holds(Path(sys.prefix), python.requirement_lines(ROOT, [python.DEV]))
