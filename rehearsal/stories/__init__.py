"""The scenarios, shown to people as stories; table.py lists them. They know `rehearsal.scenario` and nothing else of the rehearsal."""
