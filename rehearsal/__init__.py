"""The world on one machine: emulators of every provider, a GitHub with a runner, stories and their report.

Nothing here imports pipelines, release or actions: an emulator that shares code with its client proves nothing.
"""
