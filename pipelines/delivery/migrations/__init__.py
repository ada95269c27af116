"""Migrations of a database: files.py reads them, rules.py and squawk.py judge them, trial.py tries them on rows, runner.py applies them.

due.py and planned.py do it for an environment; applying.py is what runs beside the database.
"""
