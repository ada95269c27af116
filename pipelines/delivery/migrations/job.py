"""What a job beside the database runs: `python -m pipelines.delivery.migrations.job FOLDER ORDER`, with the addresses in its environment.

It ends with the exit code of its error, which is all that the delivery reads of it: its words are in its log. images/migrator.py puts this
module and all it imports into the release's image.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.delivery.migrations import applying
from pipelines.delivery.migrations.address import require_session
from pipelines.delivery.migrations.order import DATABASE, READING, Order
from pipelines.errors import ShipmateError


def carry_out(order: Order, folder: Path, environ: Mapping[str, str]) -> list[str]:
    """The file names of what was applied. Raises CredentialsError without an address, and what `applying.apply` raises."""
    address, reading = environ.get(DATABASE, ""), environ.get(READING, "")
    for each in (address, reading or address):
        require_session(each)
    if order.only_fit:
        applying.require_fit(
            address,
            folder,
            component=order.component,
            phases=order.phases,
            serving=order.serving,
            reading=reading,
            say=_say,
        )
        return []
    return applying.apply(
        address,
        folder,
        component=order.component,
        phases=order.phases,
        release=order.release,
        serving=order.serving,
        reading=reading,
        say=_say,
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """The exit code."""
    try:
        order = Order.read(arguments[1])
        applied = carry_out(order, Path(arguments[0]), environ)
    except ShipmateError as error:
        sys.stderr.write(f"{error.title}: {error}\n")
        return error.exit_code
    _say(f"applied {', '.join(applied)}" if applied else "nothing was applied")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
