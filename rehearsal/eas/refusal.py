"""How a command ends badly."""

from __future__ import annotations


class Failed(Exception):
    """Exit 1 after this text."""


class Refused(Failed):
    """EAS refused a request; the text is its message."""


class Unreachable(Failed):
    """There was no answer."""
