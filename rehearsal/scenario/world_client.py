"""The client of a running world: its addresses and tokens, and its control port."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import httpx


@dataclass(frozen=True, kw_only=True)
class WorldClient:
    """A running world, by what it wrote to `world.json`."""

    root: Path
    api: str
    server: str
    repository: str
    tokens: Mapping[str, str]
    """Login -> token."""
    edge: str
    """https://127.0.0.1:PORT, where public host names are served."""
    ca: str
    spki: str
    """base64 sha256 of the edge's public key, for a browser."""
    hosts: Mapping[str, Mapping[str, str]]
    """Environment -> component -> public host name."""
    releases: Mapping[str, Mapping[str, Sequence[str]]]
    """Environment -> component -> (path, dotted key of its JSON) at which it says which release it is."""
    overlay: str
    control: str
    control_token: str
    environ: Mapping[str, str]
    """Environment variables of every terminal in this world."""

    @classmethod
    def read(cls, file: Path) -> WorldClient:
        raw: dict[str, Any] = json.loads(file.read_text())
        raw["root"] = Path(raw["root"])
        return cls(**{name: raw[name] for name in cls.__dataclass_fields__})

    @property
    def programs(self) -> Path:
        """A folder of programs that a terminal in this world finds before the machine's own."""
        return self.root / "programs"

    def plain(self, name: str) -> str:
        """The address at which any browser of this machine opens a site: a public host name, `github` or `world`."""
        return f"http://{name}.localhost:{self.server.rpartition(':')[2]}"

    def github(self, login: str) -> httpx.Client:
        """The REST API as one user."""
        return httpx.Client(
            base_url=self.api,
            headers={"Authorization": f"token {self.tokens[login]}", "Accept": "application/vnd.github+json"},
            timeout=30,
            trust_env=False,
            follow_redirects=True,
            verify=_no_authorities(),
        )

    def https_client(self, address: str | None = None) -> httpx.Client:
        """A client that trusts the world's certificate authority and keeps its connections; `address` of this machine is its own."""
        context = ssl.create_default_context(cafile=self.ca)
        transport = httpx.HTTPTransport(verify=context, trust_env=False, local_address=address)
        return httpx.Client(transport=transport, timeout=10, trust_env=False)

    def request(self, client: Any, host: str, path: str, *, method: str = "GET", **request: Any) -> httpx.Response:
        """Send a request to a public host name at the world's edge, with its name in SNI and Host."""
        headers = {"Host": host, **request.pop("headers", {})}
        answer: httpx.Response = client.request(
            method, f"{self.edge}{path}", headers=headers, extensions={"sni_hostname": host}, **request
        )
        return answer

    def request_provider(self, host: str, path: str, headers: Mapping[str, str]) -> httpx.Response:
        """GET from a public host of a provider, without credentials. Raises httpx.HTTPError, KeyError for an unknown host."""
        hosts: dict[str, str] = json.loads(Path(self.overlay).read_text())["hosts"]
        return httpx.get(
            f"{hosts[host]}{path}", headers=dict(headers), timeout=30, trust_env=False, verify=_no_authorities()
        )

    def request_release(self, client: Any, environment: str, component: str, **request: Any) -> httpx.Response:
        """Ask a component at its public address which release it is. Raises httpx.HTTPError."""
        path, _ = self.releases[environment][component]
        return self.request(client, self.hosts[environment][component], path, **request)

    def read_release(self, answer: httpx.Response, environment: str, component: str) -> str:
        """The release in an answer to `request_release`; empty when its JSON does not say. Raises ValueError for what is no JSON."""
        found: Any = answer.json()
        for part in self.releases[environment][component][1].split("."):
            found = found.get(part, "") if isinstance(found, dict) else ""
        return str(found)

    def set_faults(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Have the providers misbehave (rehearsal.faults says how)."""
        self._control_request("POST", "faults", json=list(faults))

    def clear_faults(self) -> None:
        self._control_request("DELETE", "faults")

    def faults_fired(self) -> list[dict[str, Any]]:
        """Faults that fired since the world started, oldest first."""
        fired: list[dict[str, Any]] = self.inspect("faults")["fired"]
        return fired

    def inspect(self, what: str) -> Any:
        """State that no client of a provider can read: `runs`, `traffic-changes`, `messages`, `deployments?release=`, `violations`,
        `memory`."""
        return self._control_request("GET", what).json()

    def notifications(self) -> list[dict[str, str]]:
        """Slack messages and mails that were sent: {"via", "text", "at"}, oldest first."""
        found: list[dict[str, str]] = self.inspect("messages")
        return found

    def deployments_of(self, release: str) -> dict[str, int]:
        """How many deployments of a release each provider holds."""
        found: dict[str, int] = self.inspect(f"deployments?release={release}")
        return found

    def kill_act(self, job: int) -> int:
        """SIGKILL the act process of a job, and nothing else; how many processes were killed."""
        return int(self._control_request("POST", f"jobs/{job}/kill").json()["killed"])

    def trigger_schedule(self, workflow: str) -> int:
        """Start a workflow as its schedule does, by the name of its file; the id of the run. Raises httpx.HTTPError."""
        return int(self._control_request("POST", f"due?workflow={workflow}").json()["runs"][0])

    def provider_event(self, emulator: str, action: str, **arguments: Any) -> None:
        """Have something happen at a provider: a method of the emulator's control. Raises httpx.HTTPError."""
        self._control_request("POST", action, below=f"_control/{emulator}", json=arguments)

    def _control_request(self, method: str, what: str, *, below: str = "_world", **request: Any) -> httpx.Response:
        """The world's own port. Raises httpx.HTTPError."""
        return self.ask_control(method, f"{below}/{what}", **request).raise_for_status()

    def ask_control(self, method: str, path: str, *, timeout: float = 30, **request: Any) -> httpx.Response:
        """The world's own port, which takes its token alone."""
        return self._control_client.request(method, f"{self.control}/{path}", timeout=timeout, **request)

    @cached_property
    def _control_client(self) -> httpx.Client:
        """One for all questions: stories that wait ask some thousand times. No connection stays open that the world may close meanwhile."""
        return httpx.Client(
            headers={"Authorization": f"Bearer {self.control_token}"},
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
            verify=_no_authorities(),
        )

    def terminal(self, login: str, **more: str) -> dict[str, str]:
        """The environment variables of a user's terminal in this world."""
        home = self.root / "homes" / login
        home.mkdir(parents=True, exist_ok=True)
        return {
            **self.environ,
            "HOME": str(home),
            "GITHUB_TOKEN": self.tokens[login],
            "GITHUB_API_URL": self.api,
            "GITHUB_SERVER_URL": self.server,
            "GITHUB_REPOSITORY": self.repository,
            "SHIPMATE_OVERLAY": self.overlay,
            "GIT_AUTHOR_NAME": login,
            "GIT_AUTHOR_EMAIL": f"{login}@users.noreply.github.com",
            "GIT_COMMITTER_NAME": login,
            "GIT_COMMITTER_EMAIL": f"{login}@users.noreply.github.com",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            **more,
        }


@cache
def _no_authorities() -> ssl.SSLContext:
    """For addresses without TLS: trusts nobody, and costs nothing (reading all authorities takes 20 ms for each client)."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
