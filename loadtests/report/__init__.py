"""The report of a load test, for the person who decides on a release: one HTML page, a Markdown summary, and JSON."""

from loadtests.report.capacity import Heading, write_capacity
from loadtests.report.writing import Written, write

__all__ = ["Heading", "Written", "write", "write_capacity"]
