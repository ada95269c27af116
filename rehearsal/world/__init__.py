"""One world: every emulator, the services under it, and a GitHub with the platform's repository, in one process.

definition.py says what the platform needs, read from its manifest as plain YAML; provision.py puts it there; composition.py starts
and stops it all; handle.py runs it as a child of whoever rehearses.
"""
