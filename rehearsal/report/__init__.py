"""The report of a rehearsal: model.py is what it says (and report.json), collect.py gathers it, page.py writes the HTML."""
