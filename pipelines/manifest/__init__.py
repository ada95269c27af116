"""shipmate.yml: typed (model.py, and a module for each of its larger sections), filled with the line of every mistake (fill.py),
cross-checked (load.py), described (schema.py).
"""

from pipelines.manifest.load import find, load, parse
from pipelines.manifest.model import Manifest

__all__ = ["Manifest", "find", "load", "parse"]
