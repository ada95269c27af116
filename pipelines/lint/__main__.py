"""`python -m pipelines.lint [TOOL]... [--fix]`: the same as `shipmate lint`."""

import sys

from pipelines.cli import main

main(["lint", *sys.argv[1:]])
