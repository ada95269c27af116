"""What the suite needs on a machine, got with the standard library alone: uv, the Python environment, the trees of Node modules.

`setup_environment.py` (a person, `make setup`) and `actions/setup` (a runner) are its two edges; nothing is installed yet when it runs.
"""
