"""The one way to say no."""

from __future__ import annotations


class Refused(Exception):
    """The build ends; the message is for whoever reads the job's log."""
