"""A stand-in for `docker buildx build`: a small subset of Dockerfile, without a container engine, the same bytes for the same input.

It carries out what puts files and settings into an image, and refuses everything else by name: nothing is passed over. Jobs find it
on PATH (runner/stand_ins/programs). Needs nothing but Python.
"""
