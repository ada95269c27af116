"""Something the rehearsal needs and this machine has not, or that does not start."""

from __future__ import annotations

import socket


class ServiceUnavailable(Exception):
    """What is missing, and in the same sentence the command that gets it."""


def free_port() -> int:
    """A loopback port nobody holds now. Another process may take it first: try again with another one then."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
