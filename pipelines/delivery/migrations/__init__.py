"""Migrations of a database: files.py reads them, rules.py and squawk.py judge them, trial.py tries them, runner.py applies them."""
