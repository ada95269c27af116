"""The command line: what stands on standard output, what beside it, exit codes, help with examples, in any repository."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from release.commands.cli import COMMANDS, command
from tests.release.histories import git, line, make

ROOT = Path(__file__).resolve().parents[3]


def run(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), **environ}
    return subprocess.run(
        [sys.executable, "-m", "release", *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    make(
        tmp_path,
        line("feat: begin", "fix: fix \x1b[31m::error:: it", "feat: more (#3)", "chore: tidy"),
        tags={"v1.0.0": 0},
    )
    git(tmp_path, "checkout", "-q", "main")
    return tmp_path


def test_next__prints_the_version_and_nothing_else(repository: Path) -> None:
    done = run(repository, "next")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1.1.0\n", "")


def test_next__nothing__standard_output_is_empty(repository: Path) -> None:
    done = run(repository, "next", "--commit", "v1.0.0")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "nothing to release: there is no commit since v1.0.0 (--explain lists them)\n"


def test_next__explain__every_commit_with_its_reason(repository: Path) -> None:
    done = run(repository, "next", "--explain")
    assert done.stdout.count("\n") == 7
    assert "feat raises minor" in done.stdout
    assert "chore raises nothing" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("v1.0.0 -> 1.1.0: minor change since v1.0.0:")
    assert "\x1b" not in done.stdout, "no colour, and none from a commit, where there is no terminal"


def test_next__json(repository: Path) -> None:
    found = json.loads(run(repository, "next", "--json").stdout)
    assert (found["version"], found["tag"], found["current"], found["bump"]) == ("1.1.0", "v1.1.0", "v1.0.0", "minor")
    assert [each["bump"] for each in found["commits"]] == ["none", "minor", "patch"]
    assert all(each["why"] for each in found["commits"])


def test_next__from_elsewhere_with_another_format(repository: Path, tmp_path: Path) -> None:
    git(repository, "tag", "2.0.0", "v1.0.0")
    (tmp_path / "elsewhere").mkdir()
    done = run(tmp_path / "elsewhere", "next", "-C", str(repository), "--tag-format", "{version}")
    assert done.stdout == "2.1.0\n"


@pytest.mark.parametrize("arguments", [("next", "--explain"), ("changelog",), ("notes", "--offline")])
def test_output__an_encoding_without_emoji__is_text(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    make(tmp_path, line("feat: begin", "feat: \U0001f680 umlaut \xe4"), tags={"v1.0.0": 0})
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp1252"}
    argv = [sys.executable, "-m", "release", *arguments]
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "\\U0001f680 umlaut \xe4" in done.stdout.decode("cp1252")


def test_next__many_warnings__are_counted(tmp_path: Path) -> None:
    make(tmp_path, line("chore: begin", *(f"fix : {number}" for number in range(30))), tags={"v1.0.0": 0})
    done = run(tmp_path, "next")
    assert done.stderr.count("warning: ") == 21
    assert "warning: and 10 more (--json lists all)" in done.stderr


def test_next__no_channel_of_that_name(repository: Path) -> None:
    done = run(repository, "next", "--channel", "nightly")
    assert (done.returncode, "known are alpha, beta, rc" in done.stderr) == (4, True)


def test_changelog__on_standard_output_unless_written(repository: Path) -> None:
    done = run(repository, "changelog")
    assert "## 1.1.0 (" in done.stdout
    assert not (repository / "CHANGELOG.md").exists()
    assert run(repository, "changelog", "--check").returncode == 12
    assert run(repository, "changelog", "--write").returncode == 0
    assert (repository / "CHANGELOG.md").read_text() == done.stdout
    again = run(repository, "changelog", "--write")
    assert (again.returncode, "has everything already" in again.stderr) == (0, True)
    assert run(repository, "changelog", "--check").returncode == 0


def test_changelog__line_ends_of_the_file_stay(repository: Path) -> None:
    run(repository, "changelog", "--write", "--released")
    file = repository / "CHANGELOG.md"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    run(repository, "changelog", "--write")
    content = file.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") > 10


def test_changelog__not_utf_8__is_an_error_with_file_and_place(repository: Path) -> None:
    (repository / "CHANGELOG.md").write_bytes("# Änderungen\n".encode("latin1"))
    done = run(repository, "changelog", "--write")
    assert (done.returncode, "CHANGELOG.md: cannot be read as UTF-8: invalid" in done.stderr) == (4, True)
    assert "at byte 2" in done.stderr
    assert (repository / "CHANGELOG.md").read_bytes() == "# Änderungen\n".encode("latin1")


def test_changelog__prepared_and_then_taken_back(repository: Path) -> None:
    assert run(repository, "changelog", "--write").returncode == 0
    for commit in git(repository, "log", "--format=%H", "v1.0.0..HEAD").split():
        git(repository, "commit", "-q", "--allow-empty", "-m", f'Revert "x"\n\nThis reverts commit {commit}.')
    assert run(repository, "next").stdout == ""
    assert run(repository, "changelog", "--check", "--released").returncode == 0
    assert run(repository, "changelog", "--check").returncode == 12
    assert run(repository, "changelog", "--write").returncode == 0
    assert "1.1.0" not in (repository / "CHANGELOG.md").read_text()


def test_changelog__bare_repository__has_no_file_to_write(repository: Path, tmp_path: Path) -> None:
    git(repository, "clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    done = run(tmp_path, "changelog", "--write", "-C", "bare.git")
    assert (done.returncode, "there is no working tree here" in done.stderr) == (4, True)
    assert "## 1.1.0" in run(tmp_path, "changelog", "-C", "bare.git").stdout


def test_notes__without_a_token(repository: Path) -> None:
    done = run(repository, "notes")
    assert done.returncode == 0
    assert done.stdout.startswith("1 feature, 1 fix and 1 internal change since v1.0.0.")
    assert "These notes lack" in done.stdout


def test_notes__network_down(repository: Path) -> None:
    env = {"GITHUB_TOKEN": "x", "GITHUB_API_URL": "http://127.0.0.1:9", "GITHUB_REPOSITORY": "techmate/platform"}
    overlay = repository / ".git" / "overlay.json"
    overlay.write_text('{"time_scale": 0.01}')
    done = run(repository, "notes", SHIPMATE_OVERLAY=str(overlay), **env)
    assert done.returncode == 0, done.stderr
    assert "These notes lack pull requests and logins GitHub alone knows: GitHub could not be reached.\n" in done.stdout


def test_bump__files_on_the_command_line(repository: Path) -> None:
    (repository / "package.json").write_text('{\n\t"version":  "0.9.0"\n}\n')
    assert run(repository, "bump", "--check", "--file", "package.json").returncode == 12
    done = run(repository, "bump", "--file", "package.json")
    assert (done.returncode, "package.json: version: 0.9.0 -> 1.1.0" in done.stderr) == (0, True)
    assert (repository / "package.json").read_text() == '{\n\t"version":  "1.1.0"\n}\n'
    assert run(repository, "bump").returncode == 4
    assert run(repository, "bump", "--file", "gone.json").returncode == 4


def test_manifest__wrong__is_named_with_file_and_line(repository: Path) -> None:
    (repository / "shipmate.yml").write_text("release: {chanels: {}}\n")
    done = run(repository, "next")
    assert done.returncode == 3
    assert "shipmate.yml:1: release/chanels: unknown key, did you mean 'channels'?" in done.stderr
    assert run(repository, "next", "--no-manifest").stdout == "1.1.0\n"


def test_help__every_command_has_an_example() -> None:
    context = click.Context(command)
    for name in COMMANDS:
        found = command.get_command(context, name)
        assert found is not None
        text = found.get_help(click.Context(found, info_name=name))
        assert "Example" in text, name
        assert f"shipmate release {name}" in text, name
    assert list(command.list_commands(context)) == list(COMMANDS)


def test_help__needs_nothing_else(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)
    assert run(tmp_path, "nothing").returncode == 2
    assert run(tmp_path, "next").returncode == 4, "no repository here"


def test_interrupted__says_so(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import os, signal, release.commands.main, release.commands.cli\n"
         "release.commands.cli.command.main = lambda **_: os.kill(os.getpid(), signal.SIGINT) or __import__('time').sleep(5)\n"
         "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it\n"
         "release.commands.main.main(['next'])"],
        cwd=repository, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert (done.returncode, "interrupted; run it again" in done.stderr) == (130, True)


def test_closed_pipe__is_no_failure(repository: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "release", "changelog"],
        cwd=repository,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) in (0, 120)
    assert b"Traceback" not in complaint


def test_next__imports_nothing_heavy(repository: Path) -> None:
    """What costs hundreds of milliseconds is loaded by those commands alone that need it."""
    code = "import sys, release.commands.main\ntry:\n release.commands.main.main(['next'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not {"github", "requests", "jinja2", "cyclonedx", "rich"} & set(done.stdout.split())


COMPONENTS = """
platform: {name: techmate, repository: techmate/platform}
components: {backend: {paths: [apps/backend/**]}}
ci: {checks: {}}
environments: {}
release:
  components:
    platform: {exclude: [apps/mobile]}
    mobile: {tag_format: "mobile-v{version}", version_files: [app.json]}
"""


def test_tag__says_which_component_is_meant(repository: Path) -> None:
    (repository / "shipmate.yml").write_text(COMPONENTS)
    (repository / "app.json").write_text('{"expo": {"version": "1.0.0"}}')
    git(repository, "tag", "mobile-v1.0.0", "v1.0.0")
    named = run(repository, "notes", "mobile-v1.0.0", "--offline")
    of_mobile = run(repository, "notes", "mobile-v1.0.0", "--offline", "--component", "mobile")
    assert (named.returncode, named.stdout) == (0, of_mobile.stdout)
    assert run(repository, "bump", "mobile-v1.0.1").returncode == 0
    assert '"1.0.1"' in (repository / "app.json").read_text()
    assert run(repository, "notes", "mobile-v1.0.0", "--component", "platform").returncode == 4
    assert run(repository, "notes", "other-v1.0.0").returncode == 4


def test_bump__examples_of_its_help(repository: Path) -> None:
    (repository / "shipmate.yml").write_text(COMPONENTS)
    files = {"app.json": '{"expo": {"version": "1.0.0"}}', "apps/web/package.json": '{"version": "1"}'}
    for path, text in {**files, "charts/app/Chart.yaml": "appVersion: 1.0.0\n"}.items():
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(text)
    help_text = run(repository, "bump", "--help").stdout
    examples = [
        shlex.split(row)[2:] for row in help_text.splitlines() if row.strip().startswith("shipmate release bump")
    ]
    assert len(examples) == 4
    for arguments in examples[2:]:
        done = run(repository, *arguments)
        assert done.returncode == 0, done.stderr


def test_bump__one_file_that_cannot_be__leaves_all_as_they_are(repository: Path) -> None:
    (repository / "package.json").write_text('{"version": "0.9.0"}')
    done = run(repository, "bump", "--file", "package.json", "--file", "gone.json")
    assert (done.returncode, "0.9.0 ->" in done.stderr) == (4, False)
    assert (repository / "package.json").read_text() == '{"version": "0.9.0"}'


def test_folder__before_the_command_as_in_git(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (repository / "sub").mkdir()
    assert run(tmp_path / "elsewhere", "-C", str(repository), "next").stdout == "1.1.0\n"
    assert run(tmp_path / "elsewhere", "-C", str(repository), "next", "-C", "sub").stdout == "1.1.0\n"


def test_repository__without_its_objects__is_not_called_empty(repository: Path) -> None:
    for folder in (repository / ".git" / "objects").iterdir():
        shutil.rmtree(folder)
    done = run(repository, "next")
    assert (done.returncode, "that HEAD is on is not in this repository" in done.stderr) == (11, True)
