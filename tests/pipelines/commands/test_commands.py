"""Every command at once: its help has an example, a machine can read it, and the exit codes are those the docs list."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipelines import errors
from pipelines.cli import COMMANDS, shipmate
from pipelines.errors import ShipmateError

ROOT = Path(__file__).resolve().parents[3]
READ_BY_PEOPLE = {
    "completion": "its output is a shell's script",
    "manifest docs": "its output is the page",
    "manifest schema": "its output is JSON already",
    "release changelog": "its output is the changelog",
    "release notes": "its output is the notes",
}
"""Commands without --json, and why nobody misses it."""


def leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    for child in command.list_commands(click.Context(command)):
        found = command.get_command(click.Context(command), child)
        assert found is not None
        yield from leaves(found, f"{name} {child}")


ALL = {name: command for top in COMMANDS for name, command in leaves(import_module(COMMANDS[top][0]).command, top)}


@pytest.mark.parametrize("name", ALL)
def test_help_has_an_example_that_begins_with_the_command(name: str) -> None:
    text = ALL[name].help or ""
    assert re.search(rf"Examples?:\s+shipmate {name}\b", text), text


@pytest.mark.parametrize("name", ALL)
def test_help_is_shown(name: str) -> None:
    shown = CliRunner().invoke(shipmate, [*name.split(), "--help"])
    assert (shown.exit_code, f"Usage: shipmate {name}" in shown.output) == (0, True)


@pytest.mark.parametrize("name", ALL)
def test_a_machine_can_read_it(name: str) -> None:
    has = any("--json" in parameter.opts for parameter in ALL[name].params)
    assert has != (name in READ_BY_PEOPLE)


class Terminal:
    """A command run in this process, with standard streams of an encoding."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8") -> None:
        self.monkeypatch, self.encoding = monkeypatch, encoding

    def run(self, *argv: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error. Whatever is a bug is raised."""
        from pipelines import cli

        out, err = (io.TextIOWrapper(io.BytesIO(), encoding=self.encoding, write_through=True) for _ in range(2))
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as ended:
                cli.main(list(argv))
            raw = [stream.buffer.getvalue() for stream in (out, err) if isinstance(stream.buffer, io.BytesIO)]
        assert isinstance(ended.value.code, int)
        return ended.value.code, raw[0].decode(self.encoding, "replace"), raw[1].decode(self.encoding, "replace")


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an emoji in its name, and nothing of a platform in it or above."""
    folder = tmp_path / "\U0001f680"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("GITHUB_TOKEN", "VERCEL_TOKEN", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    return folder


def filled(name: str) -> list[str]:
    """A command with everything that it requires."""
    words = name.split()
    for parameter in ALL[name].params:
        if parameter.required:
            words += [*parameter.opts[:1]] if isinstance(parameter, click.Option) else []
            words.append(next(iter(getattr(parameter.type, "choices", ())), "\U0001f680"))
    return words


@pytest.mark.parametrize("name", sorted(set(ALL) - set(READ_BY_PEOPLE)))
def test_every_error_has_one_shape_for_machines(name: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong use and a refusal of every command."""
    terminal = Terminal(monkeypatch)
    for argv in ([*name.split(), "--json", "--no-such-option"], [*filled(name), "--json"]):
        code, out, err = terminal.run(*argv)
        error = json.loads(err.splitlines()[-1])["error"]
        assert (out, error["exit_code"]) == ("", code), argv
        assert list(error) == ["exit_code", "title", "what", "where", "why", "next_step"]
        assert code > 1
        assert error["what"]
        assert all(value is None or value for value in error.values()), "null for nothing"
        assert error["next_step"], argv


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize("name", ALL)
def test_every_command_prints_what_the_encoding_lacks_as_text(
    name: str, encoding: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(monkeypatch, encoding)
    code, _, err = terminal.run(*name.split(), "--\U0001f680")
    assert (code, "No such option" in err) == (2, True), err
    code, out, err = terminal.run(*filled(name))
    assert out or err
    assert (code == 0) == (name in {"completion", "manifest docs", "manifest schema"}), (code, err)


@pytest.mark.parametrize("name", ALL)
def test_every_option_says_what_it_is(name: str) -> None:
    silent = [p.name for p in ALL[name].params if isinstance(p, click.Option) and not p.help]
    assert silent == []


def test_the_table_of_contents_names_every_command() -> None:
    shown = run("--help").stdout
    for name, (_, chapter, text) in COMMANDS.items():
        assert re.search(rf"^  {name}\s", shown, re.MULTILINE), name
        assert chapter in shown
        assert text.split(",")[0][:40] in shown


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "pipelines.cli", *argv],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "NO_GCE_CHECK": "true", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["deplyo"], 2, "did you mean 'deploy'?"),
        (["status", "--enviroment", "x"], 2, "--environment"),
        (["deploy", "-e", "staging", "--release", "x", "--artifact", "backend"], 2, "is not component=host/path"),
        (["status"], 5, "VERCEL_TOKEN is not set; there is no Google account here"),
        (
            ["plan", "-e", "production", "--version", "v1.0.0"],
            5,
            "GITHUB_TOKEN is not set; VERCEL_TOKEN is not set; there is no Google account here",
        ),
        (["plan", "-e", "qa", "--version", "v1.0.0"], 4, "one of: staging, production"),
        (["deploy", "-e", "production", "--release", "x"], 6, "needs an approval"),
    ],
)
def test_wrong_use_says_what_was_meant(argv: list[str], code: int, message: str) -> None:
    ended = run(*argv)
    assert (ended.returncode, message in ended.stderr) == (code, True), ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_exit_codes_of_the_docs_are_those_of_the_code() -> None:
    table = (ROOT / "docs/TROUBLESHOOTING.md").read_text().partition("## Exit codes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| (?:`(\w+)`)?", table, re.MULTILINE)
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, ShipmateError) and kind is not ShipmateError
    ]
    named = {int(code): name for code, name in rows if name}
    assert named == {kind.exit_code: kind.__name__ for kind in kinds if kind is not errors.Interrupted}
    assert [int(code) for code, _ in rows] == [0, 1, 2, *sorted(kind.exit_code for kind in kinds)]


@pytest.mark.parametrize("kind", [k for k in ShipmateError.__subclasses__() if k.__module__ == errors.__name__])
def test_a_refusal_ends_with_its_code_and_no_trace(
    kind: type[ShipmateError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipelines import cli

    def refuse(**_: object) -> None:
        raise kind("it broke", where="here", why="because", next_step="do this")

    monkeypatch.setattr(cli.shipmate, "main", refuse)
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == kind.exit_code
    assert capsys.readouterr().err == f"{kind.title}: here: it broke\n  why:  because\n  next: do this\n"


@pytest.mark.parametrize(
    ("argv", "code", "title"),
    [
        (["plan", "-e", "qa", "--version", "v1.0.0", "--json"], 4, "Bad input"),
        (["status", "--enviroment", "x", "--json"], 2, "Wrong use"),
        (["status", "--json"], 5, "Credentials missing or refused"),
    ],
)
def test_an_error_has_one_shape_for_machines(argv: list[str], code: int, title: str) -> None:
    ended = run(*argv)
    error = json.loads(ended.stderr.splitlines()[-1])["error"]
    assert ended.stdout == ""
    assert (ended.returncode, error["exit_code"], error["title"]) == (code, code, title)
    assert set(error) == {"exit_code", "title", "what", "where", "why", "next_step"}
    assert all(value is None or value for value in error.values()), "null for nothing"


def test_without_json_an_error_is_for_people_alone() -> None:
    assert "{" not in run("plan", "-e", "qa", "--version", "v1.0.0").stderr


def completed(*words: str) -> list[str]:
    """What bash is offered for the last word."""
    ended = subprocess.run(
        [sys.executable, "-P", "-c", "import sys; from pipelines.cli import main; sys.argv[0] = 'shipmate'; main()"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "_SHIPMATE_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(["shipmate", *words]),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    return [line.partition(",")[2] for line in ended.stdout.splitlines() if line]


def test_a_shell_completes_commands_and_their_values() -> None:
    assert completed("stat") == ["status"]
    assert completed("status", "-e", "pro") == ["production"]
    assert completed("rollback", "-e", "production", "--component", "") == ["backend", "web"]
    assert completed("status", "-e", "nowhere") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell(shell: str) -> None:
    assert "_SHIPMATE_COMPLETE" in run("completion", shell).stdout
