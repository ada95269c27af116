"""The one way to say no."""

from __future__ import annotations


class Refused(Exception):
    """The build ends; the message is for the reader of the job's log."""
