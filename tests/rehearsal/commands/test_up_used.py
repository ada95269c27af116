"""`shipmate up` as a newcomer uses it: what it prints works, with git, gh and shipmate; Ctrl-C stops everything."""

from __future__ import annotations

import json
import re
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from rehearsal.serving import running
from tests.rehearsal.commands.upping import GONE_SECONDS, Up, up


@pytest.fixture(scope="module")
def world() -> Iterator[Up]:
    with up() as started:
        yield started


def printed(world: Up, row: str) -> str:
    found = re.search(rf"^  {row} +(\S.*)$", world.output, re.MULTILINE)
    assert found is not None, world.output
    return found[1]


def types(world: Up, login: str, line: str, folder: Path) -> str:
    """A line in a fresh terminal of someone, who knows only the file to source."""
    script = f". {world.root}/terminals/{login}.env\ncd {folder}\n{line}"
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run(["sh", "-ec", script], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def opened(address: str, **headers: str) -> httpx.Response:
    """As a browser opens it: names below localhost are this machine's. The library asks a resolver, which may not know it."""
    parts = urlsplit(address)
    sent = {"Host": parts.netloc, **headers}
    return httpx.get(f"http://127.0.0.1:{parts.port}{parts.path}", headers=sent, trust_env=False)


@pytest.mark.world
def test_a_browser_without_settings_opens_every_printed_address(world: Up) -> None:
    for row in ("start", "GitHub", "Actions", "Deployments", "messages"):
        assert opened(printed(world, row)).status_code == 200, row
    assert "Nobody was sent anything yet" in opened(printed(world, "messages")).text
    sites = [site for row in ("staging", "production") for site in re.findall(r"http://\S+", printed(world, row))]
    start = opened(printed(world, "start")).text
    assert len(sites) == 4
    for site in sites:
        assert f'href="{site}/"' in start
        assert opened(site).status_code in (404, 503), "nothing is deployed yet"
    assert sites[-1].startswith("http://techmate.ai.localhost:")


@pytest.mark.world
def test_the_printed_addresses_answer(world: Up) -> None:
    document = json.loads(Path(printed(world, "as data")).read_text())
    context = ssl.create_default_context(cafile=document["ca"])
    answer = httpx.get(f"{document['edge']}/", headers={"Host": "techmate.ai"}, verify=context, trust_env=False)
    assert answer.status_code in (404, 502, 503), "nothing is deployed yet"
    assert "https://techmate.ai/" in printed(world, "by its name")


@pytest.mark.world
def test_curl_asks_a_site_as_printed(world: Up) -> None:
    curl = shutil.which("curl")
    assert curl is not None, "curl is not installed. Get it with: apt-get install curl"
    done = subprocess.run(
        ["sh", "-c", f"{printed(world, 'request one')} -s -o /dev/null -w '%{{http_code}}'"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout in ("404", "503")


@pytest.mark.world
def test_a_web_page_changes_nothing_at_any_port(world: Up) -> None:
    answer = json.loads((world.root / "world.json").read_text())
    overlay = json.loads(Path(answer["overlay"]).read_text())["hosts"]
    ports = {
        answer["control"],
        answer["api"],
        *(address for address in overlay.values() if address.startswith("http:")),
    }
    assert len(ports) > 10
    with httpx.Client(trust_env=False) as page:
        for address in sorted(ports):
            rebound = page.post(f"{address}/", headers={"Host": "evil.example"}, content=b"{}")
            foreign = page.post(f"{address}/login", headers={"Origin": "https://evil.example"}, content=b"login=dev-1")
            assert (rebound.status_code, foreign.status_code) == (421, 403), address
        for method, path in (
            ("POST", "save?folder=/tmp/chosen"),
            ("POST", "faults"),
            ("GET", "runs"),
            ("DELETE", "faults"),
        ):
            assert page.request(method, f"{answer['control']}/_world/{path}").status_code == 401
        assert page.post(f"{answer['control']}/_control/google-play/anything", json={}).status_code == 401


@pytest.mark.world
def test_the_terminal_has_the_token_of_the_worlds_own_port(world: Up, tmp_path: Path) -> None:
    fault = '{"kind": "status", "emulator": "vercel", "path": "^/never", "times": 1}'
    asked = f"curl -sf -H \"Authorization: Bearer $SHIPMATE_WORLD_TOKEN\" $SHIPMATE_WORLD_CONTROL/_world/faults -d '{fault}'"
    assert json.loads(types(world, "dev-1", asked, tmp_path))[0]["fired"] == 0


@pytest.mark.world
def test_the_first_lines_work_as_printed(world: Up, tmp_path: Path) -> None:
    lines = world.output.partition("Start in another terminal:\n")[2].splitlines()[:3]
    script = "\n".join(lines)
    assert "terminals/dev-1.env" in script
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=tmp_path,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "platform/shipmate.yml").is_file()
    assert "staging" in done.stdout
    assert "production" in done.stdout


@pytest.mark.world
def test_git_pushes_as_the_person_whose_terminal_it_is(world: Up, tmp_path: Path) -> None:
    url = re.search(r"git clone (\S+)", world.output)
    assert url is not None
    types(
        world,
        "dev-2",
        f"git clone -q {url[1]} p && cd p && git switch -q -c hello && echo hi > hello.txt && git add -A "
        "&& git commit -q -m 'docs: say hello' && git push -q origin hello && git log -1 --format=%an > who",
        tmp_path,
    )
    assert (tmp_path / "p/who").read_text() == "dev-2\n"
    api = json.loads((world.root / "world.json").read_text())
    head = httpx.get(
        f"{api['api']}/repos/{api['repository']}/branches/hello",
        trust_env=False,
        headers={"Authorization": f"token {api['tokens']['dev-1']}"},
    ).json()
    assert head["commit"]["commit"]["author"]["name"] == "dev-2"


@pytest.mark.world
def test_eas_is_that_of_the_world(world: Up, tmp_path: Path) -> None:
    assert "(robot)" in types(world, "release-manager", "eas account:view", tmp_path)


@pytest.mark.world
def test_gh_works_in_a_clone_made_as_printed(world: Up, tmp_path: Path) -> None:
    assert shutil.which("gh") is not None, "gh is not installed. Get it with: apt-get install gh"
    clone = re.search(r"git clone (\S+)", world.output)
    served = re.search(r"^  GitHub +(\S+)", world.output, re.MULTILINE)
    assert clone is not None
    assert served is not None
    for number, address in enumerate((clone[1], f"{served[1]}.git")):
        types(
            world,
            "dev-1",
            f"git clone -q {address} c{number} && cd c{number} && git switch -q -c change-{number} && echo hi > c{number}.txt "
            "&& git add -A && git commit -q -m 'docs: say hello' && git push -q -u origin HEAD",
            tmp_path,
        )
        here = tmp_path / f"c{number}"
        made = types(world, "dev-1", f"gh pr create --title 'docs: hello {number}' --body 'Hello.'", here)
        pull = re.search(r"/pull/(\d+)", made)
        assert pull is not None, made
        assert "techmate/platform" in types(world, "dev-1", "gh repo view", here)
        assert f"hello {number}" in types(world, "dev-1", "gh pr status", here)
        types(world, "dev-2", f"git clone -q {address} d{number} && cd d{number} && gh pr checkout {pull[1]}", tmp_path)
        assert (tmp_path / f"d{number}" / f"c{number}.txt").read_text() == "hi\n"
        assert f"hello {number}" in types(
            world, "dev-2", "unset GH_REPO; gh pr view --json title", tmp_path / f"d{number}"
        )


@pytest.mark.world
def test_other_servers_of_this_machine_are_not_answered_by_the_worlds_github(world: Up, tmp_path: Path) -> None:
    async def other(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("the page of someone's own server")(scope, receive, send)

    with running(other) as server:
        for name in ("localhost", "127.0.0.1"):
            assert "someone's own" in types(world, "dev-1", f"curl -s http://{name}:{server.port}/", tmp_path)
    answer = json.loads((world.root / "world.json").read_text())
    through = types(world, "dev-1", f"curl -s -x {answer['api']} --noproxy '' http://localhost:5173/", tmp_path)
    assert "a proxy to nothing else" in through


@pytest.mark.world
def test_gh_finds_the_repository(world: Up, tmp_path: Path) -> None:
    assert shutil.which("gh") is not None, "gh is not installed. Get it with: apt-get install gh"
    assert types(world, "release-manager", "gh api user --jq .login", tmp_path) == "release-manager\n"
    types(world, "dev-1", "gh issue create --title 'It is up' --body 'Indeed.'", tmp_path)
    assert "It is up" in types(world, "dev-2", "gh issue list", tmp_path)
    assert "Deploy to Production" in types(world, "on-call", "gh workflow list", tmp_path)


@pytest.mark.world
def test_shipmate_asks_this_world(world: Up, tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[3] / "shipmate.yml", tmp_path)
    document = json.loads(types(world, "on-call", "shipmate status --json", tmp_path))
    assert isinstance(document, list)


@pytest.mark.world
def test_the_files_with_tokens_are_for_their_owner_alone(world: Up) -> None:
    for file in (world.root / "world.json", *(world.root / "terminals").iterdir()):
        assert file.stat().st_mode & 0o077 == 0, file


@pytest.mark.world
def test_ctrl_c_takes_everything_down(world: Up) -> None:
    """The last test of this module: the world ends in it."""
    root = world.root
    world.look()
    world.process.send_signal(signal.SIGINT)
    assert world.process.wait(timeout=GONE_SECONDS) == 0
    assert world.process.stdout is not None
    assert "stopping everything" in world.process.stdout.read()
    assert not root.exists()
    world.nothing_is_left()
